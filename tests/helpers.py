"""What several tests need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from repvgg_seg.measure.difference import relative_error  # noqa: F401 (tests import it from here)

REPO = Path(__file__).resolve().parents[1]


@torch.no_grad()
def randomise_bn(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every BN random statistics, weights and biases, of both signs: as built, a wrong fusion goes unseen."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean.normal_(0, 0.5, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            if module.affine:
                module.weight.normal_(0, 1, generator=generator)
                module.bias.normal_(0, 0.5, generator=generator)
    return model


def tool(name, *args, status=0):
    """Run a tool; returns what it printed. A refusal (status 2) must be one line, without a traceback."""
    env = dict(os.environ, OMP_NUM_THREADS='1')
    command = [sys.executable, str(REPO / 'tools' / name), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPO, env=env)
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-3000:]
    if status == 2:
        assert 'Traceback' not in done.stderr
        (error,) = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
        return error
    return done.stdout + done.stderr


def records(trained, tmp_path, *options):
    """What tools/test.py recorded of a (config, checkpoint)."""
    config, checkpoint = trained
    tool('test.py', config, checkpoint, '--result', tmp_path / 'r.json', '--work-dir', tmp_path / 'work', *options)
    return json.loads((tmp_path / 'r.json').read_text())
