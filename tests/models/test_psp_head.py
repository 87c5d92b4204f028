import pytest
import torch
from mmseg.registry import MODELS

from repvgg_seg.errors import InputError

HEAD = dict(in_index=0, channels=512, num_classes=19, norm_cfg=dict(type='BN'), align_corners=True)


def shapes(**kwargs):
    with torch.device('meta'):
        return {k: tuple(v.shape) for k, v in MODELS.build(dict(HEAD, **kwargs)).named_parameters()}


def test_each_bin_has_a_quarter_of_the_channels():
    found = shapes(type='QuarterPSPHead', in_channels=2560)
    for i in range(4):
        assert found[f'psp_modules.{i}.1.conv.weight'] == (640, 2560, 1, 1)
    assert found['bottleneck.conv.weight'] == (512, 5120, 3, 3)
    assert found['conv_seg.weight'] == (19, 512, 1, 1)


def test_it_is_mmsegs_head_at_2048_channels():
    assert shapes(type='QuarterPSPHead', in_channels=2048) == shapes(type='PSPHead', in_channels=2048)


def test_forward():
    head = MODELS.build(dict(HEAD, type='QuarterPSPHead', in_channels=16, channels=8)).eval()
    assert head([torch.randn(2, 16, 9, 12)]).shape == (2, 19, 9, 12)


def test_channels_that_do_not_divide():
    with pytest.raises(InputError, match='multiple of the 4 pyramid bins, got 30'):
        MODELS.build(dict(HEAD, type='QuarterPSPHead', in_channels=30, channels=8))
