"""Several processes: what one process can tell, and two that end."""

import os
import subprocess
import sys

import pytest
from helpers import REPO
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training import distributed
from repvgg_seg.training.slurm import variables_of_slurm


def test_a_launcher_without_torchrun(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(InputError, match='tools/dist_train.sh'):
        distributed.settle_launcher(Config(dict(launcher='pytorch')))


SLURM = dict(
    SLURM_PROCID='5', SLURM_NTASKS='6', SLURM_LOCALID='1', SLURM_NODEID='2', SLURM_STEP_NODELIST='gpu[07-08,12]'
)


@pytest.mark.parametrize(
    'launcher, given, expected',
    [
        (
            'slurm',
            SLURM | dict(SLURM_STEP_TASKS_PER_NODE='2(x3)', SLURM_JOB_ID='100', SLURM_STEP_ID='3'),
            dict(
                RANK='5', WORLD_SIZE='6', LOCAL_RANK='1', LOCAL_WORLD_SIZE='2', MASTER_ADDR='gpu07', MASTER_PORT='10703'
            ),
        ),
        (
            'slurm',  # what the user sets stays
            SLURM | dict(SLURM_STEP_TASKS_PER_NODE='1,1,4', MASTER_ADDR='10.0.0.1', MASTER_PORT='7'),
            dict(LOCAL_WORLD_SIZE='4', MASTER_ADDR='10.0.0.1', MASTER_PORT='7'),
        ),
        ('slurm', SLURM | dict(SLURM_STEP_NODELIST='login,gpu[1-2]'), dict(MASTER_ADDR='login', LOCAL_WORLD_SIZE='6')),
        (
            'mpi',
            {
                f'OMPI_COMM_WORLD_{name}': value
                for name, value in dict(RANK='1', SIZE='2', LOCAL_RANK='1', LOCAL_SIZE='2').items()
            },
            dict(
                RANK='1',
                WORLD_SIZE='2',
                LOCAL_RANK='1',
                LOCAL_WORLD_SIZE='2',
                MASTER_ADDR='127.0.0.1',
                MASTER_PORT='29500',
            ),
        ),
    ],
)
def test_what_slurm_and_mpi_say_is_told_as_torchrun_does(monkeypatch, launcher, given, expected):
    monkeypatch.setattr('os.environ', given | dict(PATH=''))
    monkeypatch.setattr('torch.cuda.device_count', lambda: 0)
    cfg = Config(dict(launcher=launcher))
    distributed.settle_launcher(cfg)
    assert {name: os.environ[name] for name in expected} == expected
    assert (cfg.launcher, cfg.env_cfg.dist_cfg.timeout) == ('pytorch', distributed.TIMEOUT)


def test_scontrol_names_the_first_host_where_it_is_there(monkeypatch, tmp_path):
    (tmp_path / 'scontrol').write_text('#!/bin/sh\necho "$3 is" && echo other\n')
    (tmp_path / 'scontrol').chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    assert variables_of_slurm(SLURM)['MASTER_ADDR'] == 'gpu[07-08,12]'


@pytest.mark.parametrize(
    'launcher, given, gpus, message',
    [
        ('slurm', {}, 0, 'SLURM_PROCID.*tools/slurm_train.sh'),
        ('mpi', {}, 0, 'OMPI_COMM_WORLD_RANK.*start with it'),
        ('none', dict(TORCHELASTIC_RUN_ID='x', WORLD_SIZE='2'), 0, '2 processes, .* add --launcher pytorch'),
        (
            'pytorch',
            dict(RANK='2', LOCAL_RANK='2', WORLD_SIZE='3'),
            2,
            'process 3 on this machine has no GPU, there are 2',
        ),
    ],
)
def test_launchers_that_do_not_fit(monkeypatch, launcher, given, gpus, message):
    monkeypatch.setattr('os.environ', dict(given))
    monkeypatch.setattr('torch.cuda.device_count', lambda: gpus)
    with pytest.raises(InputError, match=message):
        distributed.settle_launcher(Config(dict(launcher=launcher)))


def test_slurm_may_show_each_process_its_own_gpu_only(monkeypatch):
    monkeypatch.setattr('os.environ', dict(SLURM))
    monkeypatch.setattr('torch.cuda.device_count', lambda: 1)
    cfg = Config(dict(launcher='slurm', env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=60, port=5))))
    distributed.settle_launcher(cfg)
    assert (os.environ['LOCAL_RANK'], os.environ['MASTER_PORT']) == ('0', '5')
    assert cfg.env_cfg.dist_cfg == dict(backend='nccl', timeout=60)


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
@pytest.mark.parametrize('raises', ['none', 'all', 'rank 1', 'crash'])
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
