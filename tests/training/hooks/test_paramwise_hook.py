"""Learning rates of parts of the network under schedules."""

import re

import pytest
import torch
from toy_run import Toy, run_toy, toy_config

from repvgg_seg.training.hooks import paramwise_hook

pytestmark = pytest.mark.slow

FLOOR = dict(type='PolyLR', power=1.0, eta_min=0.01, end=3, by_epoch=False)
SCHEDULES = [
    [FLOOR],
    [dict(type='CosineAnnealingLR', eta_min=0.01, T_max=3, by_epoch=False)],
    [dict(type='LinearLR', start_factor=0.5, end=2, by_epoch=False), dict(FLOOR, begin=2, end=5)],
    [dict(type='OneCycleLR', eta_max=0.3, end=3, by_epoch=False)],
    None,
]


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(paramwise_hook, 'print_log', lambda line, *_: lines.append(line))
    return lines


def wrapper_of(keys, lr=0.1):
    return dict(
        optimizer=dict(type='SGD', momentum=0.9, lr=lr, weight_decay=0.1),
        paramwise_cfg=dict(custom_keys=keys) if keys else dict(norm_decay_mult=0.0),
    )


def run(tmp_path, schedule, keys, hook=True, lr=0.1):
    torch.manual_seed(0)
    before = Toy().state_dict()
    wrapper = wrapper_of(keys, lr)
    cfg = toy_config(tmp_path, wrapper, schedule, dict(max_iters=3))
    cfg.custom_hooks = [dict(type='ParamwiseHook')] if hook else []
    runner, noted = run_toy(cfg)
    return before, runner.model.state_dict(), noted


@pytest.mark.parametrize('schedule', SCHEDULES, ids=lambda value: value[0]['type'] if value else 'none')
def test_a_rate_of_zero_stays_zero(tmp_path, said, schedule):
    before, after, noted = run(tmp_path, schedule, dict(body=dict(lr_mult=0.0)))
    assert [rate for rate, _ in noted] == [0.0] * 3 and noted[0][1] > 0
    for name in ('body.0.weight', 'body.0.bias', 'body.1.weight', 'body.1.bias'):
        assert torch.equal(before[name], after[name]), 'neither gradients nor weight decay move it'
    assert not torch.equal(before['head.weight'], after['head.weight'])
    assert len(said) == 1 and said[0].startswith('learning rate 0 in body.0, body.1: kept at 0')
    assert '1 BN layers there still follow the data: norm_eval=True' in said[0]


def test_without_the_hook_the_floor_lifts_it(tmp_path):
    assert run(tmp_path, [FLOOR], dict(body=dict(lr_mult=0.0)), hook=False)[2][-1][0] == pytest.approx(0.01)


def test_other_rates_are_as_without_the_hook(tmp_path, said):
    keys = dict(body=dict(lr_mult=0.5))
    (_, first, rates), (_, second, others) = (run(tmp_path / str(hook), [FLOOR], keys, hook) for hook in (False, True))
    assert rates == others and all(torch.equal(first[name], second[name]) for name in first)
    assert said == []


def test_a_resumed_run_keeps_it(tmp_path, said):
    run(tmp_path, [FLOOR], dict(body=dict(lr_mult=0.0)))
    stored = torch.load(tmp_path / 'iter_3.pth', weights_only=False)
    cfg = toy_config(tmp_path / 'b', wrapper_of(dict(body=dict(lr_mult=0.0))), [FLOOR], dict(max_iters=5))
    cfg.custom_hooks = [dict(type='ParamwiseHook'), dict(type='ResumeScheduleHook')]
    cfg.load_from, cfg.resume = str(tmp_path / 'iter_3.pth'), True
    runner, noted = run_toy(cfg)
    assert noted == [(0.0, pytest.approx(0.01))] * 2
    assert torch.equal(runner.model.state_dict()['body.0.weight'], stored['state_dict']['body.0.weight'])


@pytest.mark.parametrize(
    'schedule, keys, lr, message',
    [
        (
            [FLOOR],
            dict(body=dict(lr_mult=0.01)),
            0.1,
            'PolyLR: eta_min=0.01 is above .* in body.0, body.1 .down to 0.001.',
        ),
        ([FLOOR], None, 0.001, 'PolyLR: eta_min=0.01 is above .* in body.0, body.1, head.weight, head.bias'),
        (SCHEDULES[3], dict(body=dict(lr_mult=0.5)), 0.1, 'OneCycleLR takes its learning rates from eta_max alone'),
        ([FLOOR], dict(bakcbone=dict(lr_mult=0.5)), 0.1, 'no parameter has bakcbone in its name.*: body, head'),
    ],
)
def test_what_else_is_said(tmp_path, said, schedule, keys, lr, message):
    run(tmp_path, schedule, keys, lr=lr)
    assert len(said) == 1
    assert re.search(message, said[0]), said[0]


def test_a_rate_of_the_whole_optimizer_is_left_to_the_schedule(tmp_path, said):
    """One cycle takes no rate from the optimizer, so a config may give 0 there."""
    noted = run(tmp_path, SCHEDULES[3], None, lr=0.0)[2]
    assert noted[1][0] > 0 and said == []
