"""`import repvgg_seg` adds classes to registries and a reader to mmengine, and changes nothing else in a process."""

import os
import subprocess
import sys
from argparse import Namespace

import numpy as np
import pytest
import torch
from helpers import REPO
from mmengine.logging import HistoryBuffer


def training_checkpoint():
    history = HistoryBuffer([2.5, 3.5], [1, 1])
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    return dict(
        meta=dict(seed=1, epoch=np.int64(3), dataset_meta=dict(classes=('road',), palette=[[1, 2, 3]])),
        message_hub=dict(log_scalars={'train/loss': history}, runtime_info=dict(lr=np.float64(0.5), x=np.arange(3))),
        optimizer=optimizer.state_dict(),
        state_dict=dict(weight=torch.ones(2)),
    )


@pytest.mark.slow
def test_all_is_as_it_was(tmp_path):
    """In a process of its own, so that the order of the imports is real; it names what has changed."""
    contents = dict(
        state_dict=dict(a=torch.arange(6.0).reshape(2, 3)),
        training=training_checkpoint(),
        object=dict(args=Namespace(lr=0.1, name='x'), a=torch.ones(2)),
        list=[1, torch.ones(2)],
        tensor=torch.ones(2),
        empty_dict={},
        model=torch.nn.Linear(2, 3),
    )
    for name, content in contents.items():
        torch.save(content, tmp_path / f'{name}.pth')
        torch.save(content, tmp_path / f'{name}_legacy.pth', _use_new_zipfile_serialization=False)
    files = sorted(map(str, tmp_path.iterdir()))
    script = REPO / 'tests' / 'process_state.py'
    env = dict(os.environ, PYTHONPATH=f'{REPO}{os.pathsep}{os.environ.get("PYTHONPATH", "")}')
    done = subprocess.run([sys.executable, script, *files], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "'files': 14" in done.stdout and "'registries': " in done.stdout, done.stdout
