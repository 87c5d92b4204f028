"""The small version of tools/crash_test.py: real processes, two kills."""

import random

import pytest
import torch

from repvgg_seg.benchmark.crash_test import (
    differences,
    is_equal,
    kill_and_resume,
    train_undisturbed,
    write_config,
)
from repvgg_seg.errors import InputError


@pytest.mark.slow
def test_a_killed_run_ends_as_one_that_was_left_alone(tmp_path):
    config = write_config(tmp_path, iterations=24)
    train_undisturbed(config, tmp_path / 'whole')
    kills = list(kill_and_resume(config, tmp_path / 'killed', 2, 1, random.Random(0)))
    assert [kill.aim for kill in kills] == ['write', 'write'] and kills[1].resumed_from > 0
    compared = differences(tmp_path / 'whole' / 'iter_24.pth', tmp_path / 'killed' / 'iter_24.pth')
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


def test_a_run_that_fails_is_told(tmp_path):
    with pytest.raises(InputError, match='a run failed with exit status 2: .*no config'):
        train_undisturbed(tmp_path / 'none.py', tmp_path / 'work')
