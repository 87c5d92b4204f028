"""The tools in several processes over gloo, started as torchrun and srun start them."""

import json
import os
import stat
import subprocess

import pytest
from helpers import REPO, tool
from script_process import ranks, run_scripts
from tiny import tiny_config

pytestmark = pytest.mark.slow
DIES = """
import os, signal
from mmengine.hooks import Hook
from mmseg.registry import HOOKS


@HOOKS.register_module()
class Dies(Hook):
    def __init__(self, by):
        self.by = by

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 1 and os.environ['RANK'] == '1':
            os.kill(os.getpid(), getattr(signal, self.by))

    def after_test_iter(self, *args, **kwargs):
        if os.environ['RANK'] == '1':
            os.kill(os.getpid(), getattr(signal, self.by))
"""


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """A config, whose test has two scenes, and a checkpoint."""
    work = tmp_path_factory.mktemp('trained')
    tiny_config(scenes, work, train_cfg__max_iters=1, train_cfg__val_interval=9).dump(work / 'tiny.py')
    tool('train.py', work / 'tiny.py', '--work-dir', work, '--no-rehearsal')
    (work / 'dies.py').write_text(DIES)
    return work / 'tiny.py', work / 'iter_1.pth'


def predicted(folder):
    return {path.name: path.read_bytes() for path in folder.rglob('*.png')}


def test_the_scores_are_those_of_one_process(trained, tmp_path):
    """Two images in one process, and in three, of which one gets none."""
    found = []
    for number in (1, 3):
        folder = tmp_path / str(number)
        args = [
            '--result',
            folder / 'r.json',
            '--work-dir',
            folder / 'w',
            '--show-dir',
            folder / 'show',
            '--out',
            folder / 'out',
        ]
        args += ['--launcher', 'pytorch'] if number > 1 else []
        variables = ranks(number) if number > 1 else [{}]
        done = run_scripts(REPO / 'tools/test.py', *map(str, (*trained, *args)), cwd=tmp_path, variables=variables)
        assert [status for status, _, _ in done] == [0] * number, done
        record = json.loads((folder / 'r.json').read_text())
        assert (record['images'], record['processes']) == (2, number)
        assert record['memory_mib'].keys() >= {'resident_at_end', 'peak_resident_at_end'}
        found.append(
            (str(record['metrics']), str(record['per_class']), predicted(folder / 'out'), predicted(folder / 'show'))
        )
        assert len(found[-1][2]) == len(found[-1][3]) == 2
    assert found[0] == found[1]
    assert not (tmp_path / '.dist_test').exists(), 'nodes need no folder that all of them share'


@pytest.mark.parametrize(
    'script, by, said',
    [
        ('train.py', 'SIGKILL', 'another process of this run has ended: its own error says why, or it was killed'),
        (
            'test.py',
            'SIGSTOP',
            'another process of this run stands still; env_cfg.dist_cfg.timeout says for how many seconds',
        ),
    ],
)
def test_a_process_that_is_lost_ends_the_others(trained, tmp_path, script, by, said):
    config = trained[0].with_name(f'dies_{by}.py')
    config.write_text(
        f"_base_ = ['{trained[0]}']\ncustom_imports = dict(imports=['repvgg_seg', 'dies'])\n"
        f"custom_hooks = [dict(type='Dies', by='{by}')]\nenv_cfg = dict(dist_cfg=dict(timeout=3))\n"
        'train_cfg = dict(max_iters=9)\nval_cfg = val_dataloader = val_evaluator = None\n'
    )
    checkpoint = trained[1:] if script == 'test.py' else ()
    args = [config, *checkpoint, '--work-dir', tmp_path / 'w', '--launcher', 'pytorch', '--no-rehearsal']
    first, second = run_scripts(
        REPO / 'tools' / script, *map(str, args), cwd=REPO, variables=ranks(2), timeout=1 if by == 'SIGSTOP' else 60
    )
    assert (first[0], second[0]) == (2, -9), first
    assert [said in line for line in first[2].splitlines() if line.startswith('error: ')] == [True], first
    assert 'Traceback' not in first[2]


def test_slurm_starts_as_many_processes_as_gpus(tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    srun.chmod(srun.stat().st_mode | stat.S_IXUSR)
    env = dict(
        os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='16', SRUN_ARGS='--quiet --time=1', PYTHON='py'
    )
    command = ['tools/slurm_test.sh', 'gpu', 'my job', 'a b.py', 'c.pth', '--cfg-options', 'k=a b']
    words = subprocess.run(command, cwd=REPO, env=env, check=True, capture_output=True, text=True).stdout.splitlines()
    assert words[:6] == [
        *('--partition=gpu', '--job-name=my job', '--ntasks=16', '--ntasks-per-node=8', '--cpus-per-task=5'),
        '--kill-on-bad-exit=1',
    ]
    assert words[6:10] == ['--gres=gpu:8', '--quiet', '--time=1', 'py']
    assert words[11].endswith('tools/test.py')
    assert words[12:] == ['a b.py', 'c.pth', '--cfg-options', 'k=a b', '--launcher', 'slurm']
    for script, number in (('slurm_train.sh', 2), ('slurm_test.sh', 3)):
        done = subprocess.run([f'tools/{script}', *'x' * number], cwd=REPO, env=env, capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr.startswith('usage: ')
