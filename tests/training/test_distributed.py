"""Several processes: what one process can tell, and two that end."""

import os
import subprocess
import sys

import pytest
from helpers import REPO
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training import distributed


def test_a_launcher_without_torchrun(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(InputError, match='tools/dist_train.sh'):
        distributed.settle_launcher(Config(dict(launcher='pytorch')))


TWO_PROCESSES = """
import atexit, sys, torch
from repvgg_seg.cli.exit import exit_on_input_error
from repvgg_seg.errors import InputError
from repvgg_seg.training.distributed import end_together

class Object:
    def __del__(self):
        print('torn down')

held = Object()
atexit.register(print, 'handlers ran')

@exit_on_input_error
def main():
    torch.distributed.init_process_group('gloo')
    rank, model = torch.distributed.get_rank(), torch.nn.Conv2d(3, 2, 3)
    wrapped = torch.nn.parallel.DistributedDataParallel(model)
    wrapped(torch.rand(2, 3, 8, 8)).sum().backward()
    if sys.argv[1] in ('all', f'rank {rank}'):
        raise InputError('what came; what to do')
    if sys.argv[1] == 'crash' and rank:
        raise ZeroDivisionError
    if sys.argv[1] != 'none':
        torch.distributed.barrier()  # the process that raised never comes
    print('done')
    end_together()

main()
"""


@pytest.mark.slow
@pytest.mark.parametrize('raises', ['none', 'all', 'rank 0', 'rank 1', 'crash'])
def test_two_processes_end_at_once_and_say_it_once(tmp_path, raises):
    script = tmp_path / 'two.py'
    script.write_text(TWO_PROCESSES)
    command = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node=2',
        script,
        raises,
    ]
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(REPO))
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert (done.returncode == 0) is (raises == 'none'), done.stderr
    assert 'torn down' not in done.stdout and 'terminate called' not in done.stderr
    if raises == 'none':
        # Not whole lines: where output is not buffered, a text and its line end are written one after the other.
        assert done.stdout.count('done') == done.stdout.count('handlers ran') == 2
    elif raises == 'crash':
        assert done.stderr.count('\nZeroDivisionError') == 1
    else:
        assert done.stderr.count('error: what came; what to do\n') == 1
        assert 'exitcode  : 2' in done.stderr, 'that is what torchrun reports of the first process that failed'


@pytest.mark.parametrize(
    'of_config, expected',
    [
        (dict(), dict(find_unused_parameters=False, broadcast_buffers=False)),
        (dict(find_unused_parameters=True), dict(find_unused_parameters=True, broadcast_buffers=False)),
        (
            dict(
                model_wrapper_cfg=dict(type='MMDistributedDataParallel', find_unused_parameters=True, static_graph=True)
            ),
            dict(find_unused_parameters=True, broadcast_buffers=False, static_graph=True),
        ),
        (
            dict(model_wrapper_cfg=dict(broadcast_buffers=True, device_ids=[3])),
            dict(find_unused_parameters=False, broadcast_buffers=True),
        ),
    ],
)
def test_what_the_config_says_of_the_wrapper_stays(of_config, expected, monkeypatch):
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.setattr('torch.distributed.init_process_group', lambda backend, timeout: None)
    cfg = Config(dict(launcher='pytorch', env_cfg=dict(dist_cfg=dict(timeout=60)), **of_config))
    distributed.use_gloo_without_gpu(cfg)
    assert cfg.model_wrapper_cfg == dict(type='MMDistributedDataParallel', device_ids=None, **expected)
