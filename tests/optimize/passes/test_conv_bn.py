import copy

import pytest
import torch
from helpers import randomise_bn, relative_error
from mmcv.cnn import ConvModule
from small_models import norms, options, resnet
from torch import nn

from repvgg_seg.optimize.passes.conv_bn import ConvBNRecord, fold_conv_bn


@torch.no_grad()
def test_every_bn_of_a_resnet_is_folded():
    model = resnet()
    x = torch.randn(2, 3, 65, 49)
    expected = copy.deepcopy(model).double()(x.double())
    _, record = fold_conv_bn(model, options())
    assert record == ConvBNRecord(folded=55, left={})  # 3 in the stem, 3 in each of 16 bottlenecks, 4 shortcuts
    assert str(record) == '55 BNs folded into the convs before them'
    assert not norms(model)
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-5


@pytest.mark.parametrize('order', [('conv', 'norm', 'act'), ('act', 'conv', 'norm')])
@torch.no_grad()
def test_a_conv_with_a_bias_and_a_bn_without_weights(order):
    conv = ConvModule(4, 6, 3, bias=True, norm_cfg=dict(type='BN', affine=False), order=order, inplace=False).eval()
    randomise_bn(conv)
    conv.conv.bias.normal_()  # mmcv makes it zero
    x = torch.randn(2, 4, 9, 9)
    expected = conv(x)
    _, record = fold_conv_bn(nn.Sequential(conv), options())
    assert record.folded == 1
    assert relative_error(conv(x), expected) < 1e-5


@torch.no_grad()
def test_what_cannot_be_folded_is_left():
    parts = {
        'GroupNorm': ConvModule(4, 6, 3, norm_cfg=dict(type='GN', num_groups=2)),
        'BatchNorm2d': ConvModule(4, 6, 3, norm_cfg=dict(type='BN', track_running_stats=False)),
        'BatchNorm2d ': ConvModule(4, 6, 3, norm_cfg=dict(type='BN'), order=('norm', 'conv', 'act')),
        'BatchNorm2d  ': nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.BatchNorm2d(6)),
    }
    for name, part in parts.items():
        part.eval()
        x = torch.randn(2, 4, 9, 9)
        expected = part(x)
        _, record = fold_conv_bn(nn.Sequential(part), options())
        assert record == ConvBNRecord(folded=0, left={name.strip(): 1})
        assert str(record).startswith('1 ')
        assert str(record).endswith('left as they are: they cannot be folded into a conv')
        assert torch.equal(part(x), expected)
