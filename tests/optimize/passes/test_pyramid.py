import copy
import pickle

import pytest
import torch
from helpers import relative_error
from mmseg.models.decode_heads import PSPHead
from small_models import options, psp_head
from torch import nn

from repvgg_seg.models import FoldedPSPHead
from repvgg_seg.optimize.passes.pyramid import PyramidRecord, fold_pyramid

FORMATS = [torch.contiguous_format, torch.channels_last]


def folded(head):
    """The head that the pass puts in the place of a head."""
    (replacement,), _ = fold_pyramid(nn.Sequential(head), options())
    return replacement


@pytest.mark.parametrize('memory_format', FORMATS)
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('pool_scales', [(1, 2, 3, 6), (1,), (5, 2)])
@pytest.mark.parametrize('size', [(12, 12), (13, 7), (90, 90), (4, 3), (1, 1)])
@torch.no_grad()
def test_folded_pyramid_equals_the_head(size, pool_scales, align_corners, memory_format):
    """(4, 3) and (1, 1): maps smaller than the bins, from images smaller than they or than the stride."""
    head = psp_head(align_corners, pool_scales)
    x = torch.randn(3, 16, *size).contiguous(memory_format=memory_format)
    expected = copy.deepcopy(head).double()([None] * 3 + [x.double()])
    model, record = fold_pyramid(nn.Sequential(head), options())
    assert record == PyramidRecord(folded=(pool_scales,), left=0)
    assert str(record) == f'pyramid of bins {", ".join(map(str, pool_scales))} folded into the head'
    assert type(model[0]) is FoldedPSPHead and model[0].deploy
    model.to(memory_format=memory_format)
    assert relative_error(model[0]([None] * 3 + [x]), expected) < 1e-5


@pytest.mark.parametrize('kind', ['QuarterPSPHead', 'FoldedPSPHead'])
@torch.no_grad()
def test_our_own_heads_are_folded_too(kind):
    head = psp_head(type=kind)
    x = [None] * 3 + [torch.randn(2, 16, 11, 14)]
    expected = head(x)
    replacement = folded(head)
    assert replacement.deploy and replacement.psp_modules is None
    assert relative_error(replacement(x), expected) < 1e-5


def test_the_head_of_a_model_that_is_a_head():
    head = psp_head()
    model, record = fold_pyramid(head, options())
    assert type(model) is FoldedPSPHead and len(record.folded) == 1
    assert fold_pyramid(model, options()) == (model, None)


@torch.no_grad()
def test_folded_pyramid_keeps_a_norm_that_is_not_folded():
    head = psp_head(norm_cfg=dict(type='GN', num_groups=3))
    x = torch.randn(2, 16, 11, 14)
    expected = head([None] * 3 + [x])
    assert relative_error(folded(head)([None] * 3 + [x]), expected) < 1e-5


class OwnFeatures(PSPHead):
    def _forward_feature(self, inputs):
        return 2 * super()._forward_feature(inputs)


class OwnClassifier(PSPHead):
    def cls_seg(self, feat):
        return 2 * super().cls_seg(feat)


def test_pyramid_of_another_kind_is_left():
    own = [psp_head(type=OwnFeatures), psp_head(type=OwnClassifier)]
    strided = psp_head()
    strided.bottleneck.conv.dilation = (2, 2)
    standardised = psp_head(conv_cfg=dict(type='ConvWS'))
    heads = [*own, strided, standardised]
    model, record = fold_pyramid(nn.Sequential(*heads), options())
    assert record == PyramidRecord(folded=(), left=4)
    assert str(record) == '4 pyramids left as they are: the head or its 3x3 conv is not the usual one'
    assert all(found is head and found.psp_modules is not None for found, head in zip(model, heads, strict=True))


def test_folded_pyramid_survives_copy_and_pickle():
    head = folded(psp_head())
    x = [None] * 3 + [torch.randn(1, 16, 9, 9)]
    expected = head(x)
    for twin in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert torch.equal(twin(x), expected)
