import pytest
from mmengine.hooks import IterTimerHook
from mmseg.registry import HOOKS, MODELS
from torch import nn

from repvgg_seg import RepVGG
from repvgg_seg.errors import InputError
from repvgg_seg.training.config.registered_class import find_class


@pytest.mark.parametrize(
    'kind, registry, scope, expected',
    [
        ('RepVGG', MODELS, 'mmseg', RepVGG),
        ('mmseg.RepVGG', MODELS, 'mmseg', RepVGG),
        ('BN', MODELS, 'mmseg', nn.BatchNorm2d),  # of the registry above
        ('IterTimerHook', HOOKS, 'mmengine', IterTimerHook),
        ('mmengine.hooks.IterTimerHook', HOOKS, 'mmseg', IterTimerHook),
        ('RepVGG', MODELS, 'not_installed', RepVGG),
        (RepVGG, MODELS, 'mmseg', RepVGG),
    ],
)
def test_a_class_by_its_names(kind, registry, scope, expected):
    assert find_class(kind, 'a.type', registry, scope) is expected


@pytest.mark.parametrize('kind', ['RepVGGs', 'mmseg.RepVGGs', 'nothing.like.it', 'not_installed.RepVGG', '', 5, None])
def test_no_class(kind):
    with pytest.raises(InputError, match=r'^a\.type: '):
        find_class(kind, 'a.type', MODELS, 'mmseg')
