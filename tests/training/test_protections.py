"""What protects a run is there whatever a config says, and goes only where it says so."""

import pytest
from mmengine.config import Config
from mmseg.registry import HOOKS

from repvgg_seg.errors import InputError
from repvgg_seg.training import protections
from repvgg_seg.training.hooks import BatchSizeHook, SwitchToDeployHook
from repvgg_seg.training.protections import add_protections, hooks_of, is_disabled

ALL = [
    'SwitchToDeployHook',
    'LoadWeightsHook',
    'CheckHeadsHook',
    'BatchSizeHook',
    'ParamwiseHook',
    'RankSeedHook',
    'FiniteLossHook',
    'SyncBuffersHook',
    'TooLargeImagesHook',
]
EMA = dict(type='EMAHook', momentum=0.01)


def names(**settings):
    cfg = Config(settings)
    add_protections(cfg, training=True)
    return [hook['type'] for hook in cfg.custom_hooks]


class Own(BatchSizeHook):
    pass


@pytest.mark.parametrize(
    'settings, expected',
    [
        (dict(), ALL),
        (dict(custom_hooks=None), ALL),
        (dict(custom_hooks=[]), ALL),
        (dict(custom_hooks=[EMA]), [*ALL, 'EMAHook']),
        (dict(custom_hooks=[EMA, dict(type='LoadWeightsHook', priority=10)]), [ALL[0], *ALL[2:], 'EMAHook', ALL[1]]),
        (dict(custom_hooks=[dict(type=name) for name in reversed(ALL)]), ALL[::-1]),
        (dict(custom_hooks=[dict(type='Own')]), [*ALL[:3], *ALL[4:], 'Own']),
        (dict(custom_hooks=[dict(type='mmengine.LoadWeightsHook')]), [ALL[0], *ALL[2:], 'mmengine.LoadWeightsHook']),
        (dict(disabled_protections=['BatchSizeHook']), [*ALL[:3], *ALL[4:]]),
        (dict(custom_hooks=[dict(type='Own'), EMA], disabled_protections=['BatchSizeHook']), [*ALL[:3], *ALL[4:], 'EMAHook']),
        (dict(disabled_protections=('CheckAnnotations',)), ALL),
    ],
)  # fmt: skip
def test_what_is_missing_is_added_and_nothing_twice(settings, expected, monkeypatch):
    monkeypatch.setitem(HOOKS._module_dict, 'Own', Own)
    assert names(**settings) == expected


def test_a_hook_given_as_a_class_counts_and_keeps_its_arguments():
    cfg = Config(dict(custom_hooks=[dict(type=SwitchToDeployHook, optimize=True)]))
    add_protections(cfg, training=False)
    (hook,) = hooks_of(cfg.custom_hooks, 'SwitchToDeployHook')
    assert hook['optimize'] is True and len(cfg.custom_hooks) == len(ALL)


@pytest.mark.parametrize(
    'value, message',
    [
        (['SwitchToDeploy'], "no protection has the name 'SwitchToDeploy'.*SwitchToDeployHook.*; the names: .*, CheckAnnotations"),
        ('SwitchToDeployHook', "got 'SwitchToDeployHook'; give a list of names"),
        (dict(SwitchToDeployHook=True), 'got .*; give a list of names'),
        ([1], 'got .*; give a list of names'),
    ],
)  # fmt: skip
def test_a_wrong_name_takes_nothing_out(value, message):
    with pytest.raises(InputError, match=f'disabled_protections: {message}'):
        names(disabled_protections=value)


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(protections, 'print_log', lambda message, *_: lines.append(message))
    return lines


def test_what_is_taken_out_is_said(said):
    cfg = Config(dict(disabled_protections=['SwitchToDeployHook', 'CheckAnnotations']))
    add_protections(cfg, training=True)
    added, without_fusing, without_check = said
    assert 'lack LoadWeightsHook, ' in added and 'SwitchToDeployHook' not in added
    assert 'without SwitchToDeployHook, the training form is evaluated' in without_fusing
    assert 'without CheckAnnotations, ' in without_check
    assert is_disabled(cfg, 'CheckAnnotations') and not is_disabled(cfg, 'BatchSizeHook')
    assert not is_disabled(Config(dict(disabled_protections=None)), 'BatchSizeHook')


def test_default_hooks_of_none(said):
    hooks = dict(checkpoint=None, param_scheduler=None, visualization=None, timer=dict(type='IterTimerHook'))
    cfg = Config(dict(default_hooks=hooks))
    add_protections(cfg, training=True)
    assert said[1:] == [
        'default_hooks.checkpoint is None: no checkpoint is written',
        'default_hooks.param_scheduler is None: the learning rate stays where it starts',
    ]
    # mmengine has no default of that name and stops at an assertion
    assert set(cfg.default_hooks) == {'checkpoint', 'param_scheduler', 'timer'}


def test_a_config_that_inherits_nothing_gets_scope_and_visualizer_and_keeps_its_own():
    cfg = Config(dict(model=dict()))
    add_protections(cfg, training=True)
    assert cfg.default_scope == 'mmseg' and cfg.visualizer.type == 'SegLocalVisualizer' and cfg.default_hooks == {}
    own = Config(dict(default_scope='mine', visualizer=dict(type='Visualizer')))
    add_protections(own, training=True)
    assert own.default_scope == 'mine' and own.visualizer == dict(type='Visualizer')
