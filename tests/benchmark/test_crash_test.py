"""The small version of tools/crash_test.py: real processes, two kills."""

import multiprocessing
import os
import signal
import time

import pytest
import torch
from script_process import _IMPORTED, _run

from repvgg_seg.benchmark.crash_test import differences, is_equal, write_config


def train(config, work_dir, log, killed_when=None):
    """Train with `--resume` in a process of its own, and send it SIGKILL as soon as something is so; returns its exit status."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(_IMPORTED)
    arguments = (str(config), '--work-dir', str(work_dir), '--resume')
    env = dict(os.environ, OMP_NUM_THREADS='1')
    process = context.Process(target=_run, args=('tools/train.py', arguments, os.getcwd(), env, [str(log)] * 2))
    process.start()
    while killed_when and process.is_alive() and not killed_when():
        time.sleep(0.001)
    if killed_when:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode


@pytest.mark.slow
def test_a_killed_run_ends_as_one_that_was_left_alone(tmp_path):
    """Killed while the fourth iteration is saved, and once more after the sixth."""
    config, killed = write_config(tmp_path, iterations=10), tmp_path / 'killed'
    assert train(config, tmp_path / 'whole', tmp_path / 'log') == 0
    moments = (lambda: [*killed.glob('.iter_4.pth.*.pth')], (killed / 'iter_6.pth').exists)
    for number, moment in enumerate(moments):
        assert train(config, killed, tmp_path / f'log{number}', moment) == -signal.SIGKILL
    assert train(config, killed, tmp_path / 'log2') == 0
    assert 'resumed epoch: 0, iter: 2' in (tmp_path / 'log1').read_text(), 'the fourth was not whole'
    compared = differences(tmp_path / 'whole' / 'iter_10.pth', killed / 'iter_10.pth')
    assert compared['state_dict']['tensors'] == 202 and is_equal(compared), compared


def checkpoint(path, **changes):
    state = dict(
        state_dict=dict(a=torch.zeros(2), b=torch.ones(2)),
        optimizer=dict(state={0: dict(momentum_buffer=torch.ones(1))}),
        param_schedulers=[dict(last_step=3)],
        message_hub=dict(runtime_info=dict(best_score=1.0)),
    )
    torch.save(state | changes, path)
    return path


@pytest.mark.parametrize('changes', [
    dict(state_dict=dict(a=torch.zeros(2), b=torch.tensor([1.0, 1.0000001]))),
    dict(state_dict=dict(a=torch.zeros(2))),
    dict(optimizer=dict(state={0: dict(momentum_buffer=torch.zeros(1))})),
    dict(param_schedulers=[dict(last_step=4)]),
    dict(message_hub=dict(runtime_info=dict(best_score=1.5))),
])  # fmt: skip
def test_differences_are_found(tmp_path, changes):
    one = checkpoint(tmp_path / 'a.pth')
    assert is_equal(differences(one, checkpoint(tmp_path / 'b.pth')))
    assert not is_equal(differences(one, checkpoint(tmp_path / 'c.pth', **changes)))
