import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from small_models import options, segmentor
from torch import nn

from repvgg_seg.optimize.phase_images import BatchPhases, GutterPhases
from repvgg_seg.optimize.structure import is_known_whole, structure


def of(model):
    return structure(model, options())


class Users(nn.Conv2d):
    pass


# An attribute of a conv, whether all of it is known, and a value that makes it another conv.
@pytest.mark.parametrize(
    'value, known, other',
    [
        (dict(a=[1, (2.0, None)]), True, dict(a=[1, (2.5, None)])),
        (torch.float32, True, torch.float16),
        (BatchPhases, True, GutterPhases),
        (F.relu, True, F.leaky_relu),
        (options(), False, None),
        (lambda x: x, False, None),
        (F.relu.__get__(1), False, None),
        ([torch.ones(1)], False, None),
        (object(), False, None),
    ],
)
def test_settings(value, known, other):
    conv = nn.Conv2d(3, 4, 3)
    plain = of(conv)
    conv.setting = value
    assert is_known_whole(conv) == known
    if known:
        name = of(conv)
        assert name == of(copy.deepcopy(conv)) != plain
        conv.setting = other
        assert of(conv) not in (name, plain)


@pytest.mark.parametrize(
    'other',
    [
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(3, 4, 3, bias=False),
        nn.Conv2d(3, 4, 3, dilation=2),
        nn.Conv2d(3, 4, 3).double(),
        nn.Conv2d(3, 4, 3).eval(),
        nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last),
        Users(3, 4, 3),
    ],
)
def test_another_conv_has_another_name(other):
    assert of(nn.Conv2d(3, 4, 3)) == of(nn.Conv2d(3, 4, 3)) != of(other)


def test_what_a_segmentor_computes_by_is_known():
    """The config that `mmseg.apis` keep in a model is not read by it."""
    model = segmentor()
    name = of(model)
    model.cfg = Config(dict(work_dir='a'))
    assert is_known_whole(model) and of(model) == name == of(segmentor())
    model.backbone.plans = model.backbone.plans[1:]
    assert of(model) != name


def test_classes_of_others_and_hooks_are_not_known():
    """Nor is a method that was replaced."""
    model = segmentor()
    model.decode_head.cls_seg = lambda features: model.decode_head.conv_seg(features)
    assert not is_known_whole(model)
    assert not is_known_whole(nn.Sequential(Users(3, 4, 3)))
    assert not is_known_whole(nn.LazyConv2d(4, 3))
    for register in ('register_forward_hook', 'register_forward_pre_hook'):
        conv = nn.Conv2d(3, 4, 3)
        handle = getattr(conv, register)(print)
        assert not is_known_whole(conv)
        handle.remove()
        assert is_known_whole(conv)
