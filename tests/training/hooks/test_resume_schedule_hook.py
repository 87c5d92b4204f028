"""What rules a resumed run. The base: three iterations of a linear decay from 0.1 to 0 in five, then two more."""

import math

import pytest
import torch
from mmengine.config import Config
from toy_run import run_toy, toy_config

from repvgg_seg.errors import InputError
from repvgg_seg.training.hooks import resume_schedule_hook

pytestmark = pytest.mark.slow

SGD = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
LINEAR = [dict(type='PolyLR', power=1.0, eta_min=0.0, begin=0, end=5, by_epoch=False)]
KEYS = dict(custom_keys=dict(head=dict(lr_mult=0.5)))


@pytest.fixture(scope='module')
def base(tmp_path_factory):
    work = tmp_path_factory.mktemp('base')
    cfg = toy_config(work, SGD, LINEAR, dict(max_iters=3))
    run_toy(cfg)
    return cfg, work / 'iter_3.pth'


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(resume_schedule_hook, 'print_log', lambda line, *_: lines.append(line))
    return lines


def resumed(cfg, checkpoint, tmp_path, rule='config', **changes):
    """Resume with changes of the config, for two more iterations where these do not say otherwise."""
    cfg = Config(cfg.to_dict() | dict(train_cfg=dict(type='IterBasedTrainLoop', max_iters=5)) | changes)
    cfg.work_dir, cfg.load_from, cfg.resume = str(tmp_path), str(checkpoint), True
    cfg.custom_hooks = [*cfg.get('custom_hooks', []), dict(type='ResumeScheduleHook', rule=rule)]
    return run_toy(cfg)


def wrapper(**optimizer):
    return dict(optimizer=dict(SGD['optimizer'], **optimizer))


def poly(**changes):
    return [dict(LINEAR[0], **changes)]


@pytest.mark.parametrize(
    'changes, rates, differences',
    [
        ({}, [0.025, 0.0], None),
        (dict(param_scheduler=poly(end=9)), [0.1 * 5 / 8, 0.05], 'param_scheduler.0.end 5 -> 9'),
        (dict(param_scheduler=poly(power=2.0)), [0.1 / 16, 0.0], 'param_scheduler.0.power 1.0 -> 2.0'),
        (dict(optim_wrapper=wrapper(lr=0.2)), [0.05, 0.0], 'optimizer.lr 0.1 -> 0.2'),
        (dict(optim_wrapper=wrapper(weight_decay=0.5)), [0.025, 0.0], 'optimizer.weight_decay 0 -> 0.5'),
        (
            dict(
                param_scheduler=[
                    dict(type='LinearLR', start_factor=0.5, begin=0, end=3, by_epoch=False),
                    dict(type='PolyLR', begin=3, end=7, by_epoch=False),
                ]
            ),
            [0.1, 0.2 / 3],
            'number of schedulers 1 -> 2',
        ),
        (
            dict(param_scheduler=[dict(type='StepLR', step_size=2, gamma=0.5, by_epoch=False)]),
            [0.05, 0.025],
            'param_scheduler.0 is of another kind, now StepLR',
        ),
        (
            dict(param_scheduler=[dict(type='CosineAnnealingLR', T_max=5, by_epoch=False)]),
            [0.05 * (1 + math.cos(math.pi * i / 5)) for i in (3, 4)],
            'now CosineAnnealingLR',
        ),
        (dict(param_scheduler=None), [0.1, 0.1], 'optimizer.lr 0.02'),
        (dict(param_scheduler=poly(end=4)), [0.0, 0.0], 'param_scheduler.0.end 5 -> 4'),
        (
            dict(auto_scale_lr=dict(enable=True, base_batch_size=1)),
            [0.05, 0.0],
            'optimizer.lr 0.1 -> 0.2',
        ),
    ],
)
def test_the_config_rules(base, tmp_path, said, changes, rates, differences):
    runner, noted = resumed(*base, tmp_path, **changes)
    assert [rate for rate, _ in noted] == pytest.approx(rates, abs=1e-9)
    if differences is None:
        assert said == []
    else:
        assert len(said) == 1 and differences in said[0] and 'the config rules from iteration 4 on' in said[0]
    if 'weight_decay' in str(changes):
        assert runner.optim_wrapper.optimizer.param_groups[0]['weight_decay'] == 0.5


def test_the_curve_is_the_one_of_a_run_from_the_start(base, tmp_path):
    """A schedule whose every rate has another cause: one cycle, whose state holds a function."""
    schedule = [dict(type='OneCycleLR', eta_max=0.3, end=5, by_epoch=False)]
    cfg = Config(base[0].to_dict() | dict(param_scheduler=schedule, work_dir=str(tmp_path / 'whole')))
    cfg.train_cfg.max_iters = 5
    assert resumed(*base, tmp_path, param_scheduler=schedule)[1] == run_toy(cfg)[1][3:]


def test_an_unchanged_run_is_bit_for_bit_the_one_that_was_not_interrupted(base, tmp_path):
    cfg, checkpoint = base
    whole = Config(cfg.to_dict() | dict(work_dir=str(tmp_path / 'whole')))
    whole.train_cfg.max_iters = 5
    first, second = run_toy(whole)[0].model.state_dict(), resumed(*base, tmp_path)[0].model.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_checkpoint_rules_where_it_is_asked_to(base, tmp_path, said):
    _, noted = resumed(*base, tmp_path, 'checkpoint', optim_wrapper=wrapper(lr=0.2))
    assert [rate for rate, _ in noted] == pytest.approx([0.025, 0.0])
    assert len(said) == 1 and 'optimizer.lr 0.1 -> 0.2: the checkpoint rules' in said[0]
    with pytest.raises(InputError, match='--resume-schedule checkpoint: the schedulers of iter_3.pth are others'):
        resumed(*base, tmp_path, 'checkpoint', param_scheduler=[*LINEAR, *LINEAR])


def test_a_finished_run_says_so_and_keeps_its_momentum(base, tmp_path, said):
    runner, noted = resumed(
        *base, tmp_path, train_cfg=dict(type='IterBasedTrainLoop', max_iters=2), optim_wrapper=wrapper(lr=0.2)
    )
    assert noted == [] and runner.iter == 3
    assert '3 iterations are done and train_cfg.max_iters is 2, so nothing is trained' in said[-1]
    optimizer = runner.optim_wrapper.optimizer.state_dict()
    stored = torch.load(base[1], weights_only=False)['optimizer']
    assert optimizer['param_groups'][0]['lr'] == pytest.approx(0.05)
    for i, state in stored['state'].items():
        assert torch.equal(optimizer['state'][i]['momentum_buffer'], state['momentum_buffer'])


@pytest.mark.parametrize(
    'optim_wrapper, message',
    [
        (
            dict(optimizer=dict(type='AdamW', lr=0.1)),
            'of another optimizer than AdamW: it has no betas, eps; .*load_from=',
        ),
        (
            dict(SGD, paramwise_cfg=KEYS),
            '6 parameters in 1 groups, that of the config 6 in 6 .*paramwise_cfg.*load_from=',
        ),
    ],
)
def test_an_optimizer_that_cannot_go_on_is_refused(base, tmp_path, optim_wrapper, message):
    with pytest.raises(InputError, match=message):
        resumed(*base, tmp_path, optim_wrapper=optim_wrapper)


def test_rates_of_parts(base, tmp_path, said):
    cfg = Config(base[0].to_dict() | dict(optim_wrapper=dict(SGD, paramwise_cfg=KEYS), work_dir=str(tmp_path / 'a')))
    run_toy(cfg)
    other = dict(SGD, paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=2.0))))
    _, noted = resumed(cfg, tmp_path / 'a' / 'iter_3.pth', tmp_path, optim_wrapper=other)
    assert [rate for pair in noted for rate in pair] == pytest.approx([0.025, 0.05, 0.0, 0.0])
    assert 'optimizer.lr 0.05 -> 0.2' in said[0]


def test_epochs_of_another_length(tmp_path, said):
    """Two epochs of four iterations, then two of two with twice the batch: the schedule ends with the last epoch."""
    schedule = poly(end=4, by_epoch=True, convert_to_iter_based=True)
    cfg = toy_config(tmp_path / 'a', SGD, schedule, dict(max_epochs=2))
    run_toy(cfg)
    runner, noted = resumed(
        cfg,
        tmp_path / 'a' / 'epoch_2.pth',
        tmp_path,
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=4),
        train_dataloader=dict(cfg.train_dataloader, batch_size=4),
    )
    assert [rate for rate, _ in noted] == pytest.approx([0.1 * (1 - i / 7) for i in (4, 5, 6, 7)])
    assert runner.iter == 8
    assert 'an epoch has 2 iterations, and had 4 before' in said[0] and 'param_scheduler.0.end 16 -> 8' in said[1]


def test_schedulers_by_epoch_and_by_iteration_together(tmp_path):
    steps = [dict(type='MultiStepLR', milestones=[1, 2], gamma=0.1, by_epoch=True)]
    cfg = toy_config(tmp_path / 'a', SGD, steps, dict(max_epochs=2))
    run_toy(cfg)
    warm = dict(type='LinearLR', start_factor=0.5, begin=0, end=3, by_epoch=False)
    changes = dict(param_scheduler=[warm, *steps], train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=3))
    _, noted = resumed(cfg, tmp_path / 'a' / 'epoch_2.pth', tmp_path, **changes)
    assert [rate for rate, _ in noted] == pytest.approx([0.001] * 4)


def test_averaged_weights_are_not_trained_on(base, tmp_path, said):
    """`EMAHook` stores the average as the weights of the model; without it a run goes on from the trained ones."""
    average = dict(type='EMAHook', momentum=0.5)
    cfg = Config(base[0].to_dict() | dict(custom_hooks=[average], work_dir=str(tmp_path / 'ema')))
    trained = run_toy(cfg)[0].model.state_dict()
    finished = dict(train_cfg=dict(type='IterBasedTrainLoop', max_iters=3), custom_hooks=[])
    loaded = resumed(cfg, tmp_path / 'ema' / 'iter_3.pth', tmp_path, **finished)[0].model.state_dict()
    assert all(torch.equal(trained[name], loaded[name]) for name in trained)
    assert 'not from their average' in said[0]
