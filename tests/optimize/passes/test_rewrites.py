"""Every rewrite on its own: what it computes, what it says, what it leaves."""

import copy
import pickle

import pytest
import torch
from helpers import randomise_bn, relative_error
from mmcv.cnn import ConvModule
from mmengine.config import ConfigDict
from mmseg.models.decode_heads.psp_head import PSPHead
from mmseg.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from repvgg_seg.models import RepVGG
from repvgg_seg.optimize import winograd_conv
from repvgg_seg.optimize.optimize import Options
from repvgg_seg.optimize.passes import (
    apply_winograd,
    cast,
    fold_conv_bn,
    fold_pyramid,
    fuse_repvgg,
    lay_out,
    shorten_ending,
    strip_training,
    undilate,
    winograd,
)
from repvgg_seg.optimize.passes.dilation import PhaseRun
from repvgg_seg.optimize.phase_images import BatchPhases, GutterPhases
from repvgg_seg.optimize.winograd_conv import WinogradConv

TINY = dict(depths=(1, 1, 2, 3, 1), a=0.5, b=0.25)
FORMATS = [torch.contiguous_format, torch.channels_last]


def options(**kwargs):
    return Options(**{'input_shape': (1, 3, 64, 64), **kwargs})


def psp_head(align_corners=False, pool_scales=(1, 2, 3, 6), **kwargs):
    cfg = dict(
        type='PSPHead',
        in_channels=16,
        in_index=3,
        channels=12,
        num_classes=5,
        norm_cfg=dict(type='BN'),
        align_corners=align_corners,
        pool_scales=pool_scales,
    )
    return randomise_bn(MODELS.build({**cfg, **kwargs})).eval()


def segmentor(**kwargs):
    cfg = dict(
        type='EncoderDecoder',
        backbone=dict(type='RepVGG', arch=TINY, output_stride=8),
        decode_head=dict(
            type='PSPHead', in_channels=128, in_index=3, channels=12, num_classes=5, norm_cfg=dict(type='BN')
        ),
        auxiliary_head=dict(type='FCNHead', in_channels=128, in_index=2, channels=8, num_classes=5, num_convs=1),
        test_cfg=dict(mode='whole'),
    )
    return randomise_bn(MODELS.build(ConfigDict({**cfg, **kwargs}))).eval()


def resnet():
    cfg = dict(
        type='ResNetV1c',
        depth=50,
        base_channels=16,
        stem_channels=16,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=False,
        norm_cfg=dict(type='BN'),
    )
    model = randomise_bn(MODELS.build(cfg))
    model.eval()  # which returns None in mmseg's ResNet
    return model


def norms(model):
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


# --- RepVGG fusion and conv-BN


def test_fusion_says_what_it_leaves():
    model = nn.Sequential(
        RepVGG(TINY, norm_cfg=dict(type='GN', num_groups=1), out_indices=(3,)), RepVGG(TINY, out_indices=(3,))
    )
    said = fuse_repvgg(model, options())
    assert said == '8 RepVGG blocks became one conv each; 8 blocks left as they are: GN cannot be folded'


@torch.no_grad()
def test_conv_bn_folds_every_bn_of_a_resnet():
    model = resnet()
    x = torch.randn(2, 3, 65, 49)
    expected = copy.deepcopy(model).double()(x.double())
    # 3 in the stem, 3 in each of 16 bottlenecks, 4 shortcuts
    assert fold_conv_bn(model, options()) == '55 BNs folded into the convs before them'
    assert not norms(model)
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-5


@pytest.mark.parametrize('order', [('conv', 'norm', 'act'), ('act', 'conv', 'norm')])
@torch.no_grad()
def test_conv_bn_folds_a_conv_with_a_bias_and_a_bn_without_weights(order):
    conv = ConvModule(4, 6, 3, bias=True, norm_cfg=dict(type='BN', affine=False), order=order, inplace=False).eval()
    randomise_bn(conv)
    conv.conv.bias.normal_()  # mmcv makes it zero
    x = torch.randn(2, 4, 9, 9)
    expected = conv(x)
    assert fold_conv_bn(nn.Sequential(conv), options())
    assert relative_error(conv(x), expected) < 1e-5


@torch.no_grad()
def test_conv_bn_leaves_what_it_cannot_fold():
    parts = [
        ConvModule(4, 6, 3, norm_cfg=dict(type='GN', num_groups=2)),
        ConvModule(4, 6, 3, norm_cfg=dict(type='BN', track_running_stats=False)),
        ConvModule(4, 6, 3, norm_cfg=dict(type='BN'), order=('norm', 'conv', 'act')),
        nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.BatchNorm2d(6)),
    ]
    for part in parts:
        part.eval()
        x = torch.randn(2, 4, 9, 9)
        expected = part(x)
        said = fold_conv_bn(nn.Sequential(part), options())
        assert said.startswith('1 ') and said.endswith('left as they are: they cannot be folded into a conv')
        assert torch.equal(part(x), expected)


# --- what only training needs


@torch.no_grad()
def test_strip_leaves_one_head_one_feature_map_and_no_gradients():
    model = segmentor()
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    said = strip_training(model, options())
    assert said == (
        'auxiliary heads removed; 1 dropout layers removed; 1 losses removed; '
        '3 feature maps that no head reads are no longer kept'
    )
    assert len(model.backbone(x)) == 1 and not model.with_auxiliary_head
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(model(x), expected)


@torch.no_grad()
def test_strip_keeps_what_a_head_of_several_maps_reads():
    head = dict(
        type='FCNHead',
        in_channels=(64, 128),
        in_index=(1, 2),
        input_transform='resize_concat',
        channels=8,
        num_classes=5,
    )
    model = segmentor(decode_head=head)
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    strip_training(model, options())
    assert len(model.backbone(x)) == 4
    assert torch.equal(model(x), expected)


# --- the pyramid


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
    assert fold_pyramid(nn.Sequential(head), options()).endswith('folded into the head')
    head.to(memory_format=memory_format)
    assert relative_error(head([None] * 3 + [x]), expected) < 1e-5


@torch.no_grad()
def test_folded_pyramid_keeps_a_norm_that_is_not_folded():
    head = psp_head(norm_cfg=dict(type='GN', num_groups=3))
    x = torch.randn(2, 16, 11, 14)
    expected = head([None] * 3 + [x])
    assert fold_pyramid(nn.Sequential(head), options())
    assert relative_error(head([None] * 3 + [x]), expected) < 1e-5


def test_pyramid_of_another_kind_is_left():
    class OwnWay(PSPHead):
        def _forward_feature(self, inputs):
            return 2 * super()._forward_feature(inputs)

    head = psp_head()
    head.__class__ = OwnWay
    strided = psp_head()
    strided.bottleneck.conv.dilation = (2, 2)
    said = fold_pyramid(nn.Sequential(head, strided), options())
    assert said == '2 pyramids left as they are: the head or its 3x3 conv is not the usual one'
    assert type(head) is OwnWay and head.psp_modules is not None


def test_folded_pyramid_survives_copy_and_pickle():
    head = psp_head()
    fold_pyramid(nn.Sequential(head), options())
    x = [None] * 3 + [torch.randn(1, 16, 9, 9)]
    expected = head(x)
    for twin in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert torch.equal(twin(x), expected)


# --- dilated runs


@pytest.mark.parametrize('phases', [BatchPhases, GutterPhases])
@pytest.mark.parametrize('size', [(8, 8), (9, 6), (3, 1)])
def test_phases_come_back(phases, size):
    x = torch.randn(2, 3, *size)
    laid_out = phases(4, size)
    assert torch.equal(laid_out.leave(laid_out.enter(x)), x)


def test_phases_on_paper():
    """Columns 0..4 at dilation 2 are the phases 0 2 4 and 1 3."""
    x = torch.arange(1.0, 6.0).reshape(1, 1, 1, 5)
    gutter = GutterPhases(2, (1, 5))
    canvas = gutter.enter(x)
    gutter.clear(canvas)
    assert canvas.shape == (1, 1, 2, 6)  # the second row phase is empty: its gutter alone is left
    assert canvas[0, 0, 0].tolist() == [1, 3, 5, 0, 2, 4]
    batch = BatchPhases(2, (1, 5))
    stack = batch.enter(x)
    batch.clear(stack)
    assert stack.shape == (4, 1, 1, 3)
    assert stack[:, 0, 0].tolist() == [[1, 3, 5], [2, 4, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize('memory_format', FORMATS)
@pytest.mark.parametrize('form', ['batch', 'gutter'])
@pytest.mark.parametrize('size', [(64, 64), (72, 41), (17, 120)])
@pytest.mark.parametrize('dilate_last', [None, 3])
@torch.no_grad()
def test_undilated_repvgg_equals_the_dilated(dilate_last, size, form, memory_format):
    model = RepVGG({**TINY, 'groups': 2}, output_stride=8, dilate_last=dilate_last)
    model = randomise_bn(model).eval()
    fuse_repvgg(model, options())
    model.to(memory_format=memory_format)
    x = torch.randn(2, 3, *size)
    expected = model(x)
    said = undilate(model, options(dilation=form))
    runs = [module for module in model.modules() if isinstance(module, PhaseRun)]
    # stage4 by 2 and stage5 by 4
    assert [(run.dilation, len(run.layers)) for run in runs] == [(2, 3 if dilate_last is None else 2), (4, 1)]
    assert said.count(f'in {form} form') == 2
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-6


@pytest.mark.parametrize('form', ['batch', 'gutter'])
@pytest.mark.parametrize('size', [(64, 64), (72, 41)])
@torch.no_grad()
def test_undilated_resnet_equals_the_dilated(size, form):
    model = resnet()
    fold_conv_bn(model, options())
    x = torch.randn(2, 3, *size)
    expected = model(x)
    undilate(model, options(dilation=form))
    assert [len(run.layers) for run in model.modules() if isinstance(run, PhaseRun)] == [6, 3]
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-6


def test_measured_choice_says_the_times():
    model = RepVGG(TINY, output_stride=8, out_indices=(3,)).eval()
    fuse_repvgg(model, options())
    said = undilate(model, options())
    assert all(name in said for name in ('batch', 'gutter', 'dilated', ' ms'))


def test_layers_with_squeeze_and_excitation_or_no_dilation_are_no_runs():
    for model in (RepVGG({**TINY, 'se': True}, output_stride=8), RepVGG(TINY)):
        fuse_repvgg(model, options())
        assert undilate(model.eval(), options(dilation='batch')) == ''


# --- Winograd


@pytest.mark.parametrize('workspace', [2**25, 2**14])
@pytest.mark.parametrize('groups, dilation', [(1, 1), (2, 1), (1, 2), (2, 4)])
@pytest.mark.parametrize('size', [(8, 8), (13, 7), (3, 2), (1, 1), (23, 19)])
@torch.inference_mode()
def test_winograd_equals_the_conv(size, groups, dilation, workspace, monkeypatch):
    monkeypatch.setattr(winograd_conv, 'WORKSPACE', workspace)
    conv = nn.Conv2d(32, 48, 3, padding=dilation, dilation=dilation, groups=groups)
    x = torch.randn(2, 32, *size)
    expected = copy.deepcopy(conv).double()(x.double())
    found = WinogradConv(conv)
    for twin in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert relative_error(twin(x), expected) < 4e-6


def test_winograd_matrices_compute_a_convolution():
    """Four outputs of (1, 2, 3) over 1, 0, 0, 2, 0, 1, slid by hand."""
    out_side, kernel_side, in_side = winograd_conv._matrices()
    inputs, kernel = torch.tensor([1.0, 0, 0, 2, 0, 1]).double(), torch.tensor([1.0, 2, 3]).double()
    found = out_side @ ((kernel_side @ kernel) * (in_side @ inputs))
    assert torch.allclose(found, torch.tensor([1.0, 6, 4, 5]).double())


@torch.no_grad()
def test_winograd_keeps_to_the_memory_limit(monkeypatch):
    monkeypatch.setattr(winograd, '_gain', lambda conv, shape: 1.0)
    model = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1)).eval()
    model.to(memory_format=torch.channels_last)
    held = 2 * 4 * (16 * 16 * 9 + 16)
    maps = 4 * 3 * 16 * 64 * 64 + 2 * winograd_conv.WORKSPACE
    one_kernel_grows_by = 4 * 16 * 16 * (36 - 9)
    shape = (1, 16, 64, 64)
    for room, replaced in ((0, 0), (one_kernel_grows_by, 1), (2 * one_kernel_grows_by, 2)):
        twin = copy.deepcopy(model)
        apply_winograd(twin, options(input_shape=shape, memory_limit=held + maps + room))
        assert sum(isinstance(module, WinogradConv) for module in twin) == replaced
        x = torch.randn(shape)
        assert relative_error(twin(x), model(x)) < 1e-5


def test_winograd_leaves_other_convs(monkeypatch):
    monkeypatch.setattr(winograd, '_gain', lambda conv, shape: 1.0)
    model = nn.Sequential(
        nn.Conv2d(16, 16, 3, stride=2, padding=1),
        nn.Conv2d(16, 16, 3),
        nn.Conv2d(16, 16, 1),
        nn.Conv2d(16, 16, 3, padding=1, padding_mode='reflect'),
        nn.Conv2d(16, 16, 3, padding=1, groups=16),
    )
    assert apply_winograd(model, options(input_shape=(1, 16, 32, 32), memory_limit=2**40)) == ''


# --- the end of the network


@pytest.mark.parametrize('padding, size', [([0, 0, 0, 0], (64, 64)), ([0, 8, 0, 16], (48, 56)), ([0] * 4, (100, 70))])
@torch.no_grad()
def test_ending_gives_the_same_labels_and_logits(padding, size):
    from mmseg.structures import SegDataSample

    model = segmentor()
    x = torch.randn(2, 3, 64, 64)

    def samples():
        meta = dict(ori_shape=size, img_shape=(64, 64), pad_shape=(64, 64), padding_size=padding)
        return [SegDataSample(metainfo=dict(meta)) for _ in x]

    for data in (samples, lambda: None):
        expected = copy.deepcopy(model)(x, data(), mode='predict')
        twin = copy.deepcopy(model)
        assert shorten_ending(twin, options())
        for found, wanted in zip(twin(x, data(), mode='predict'), expected, strict=True):
            assert torch.equal(found.seg_logits.data, wanted.seg_logits.data)
            assert torch.equal(found.pred_sem_seg.data, wanted.pred_sem_seg.data)


@torch.no_grad()
def test_ending_names_the_first_of_equal_classes():
    model = segmentor()
    shorten_ending(model, options())
    logits = torch.tensor([0.0, 2, 2, 1, 2]).reshape(1, 5, 1, 1).expand(1, 5, 4, 4)
    (sample,) = model.postprocess_result(logits)
    assert sample.pred_sem_seg.data.unique().tolist() == [1]


@pytest.mark.parametrize('size', [(64, 64), (100, 77), (40, 90)])
@torch.no_grad()
def test_sliding_windows_add_up_to_the_same(size):
    model = segmentor(test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(43, 43)))
    x = torch.randn(2, 3, *size)
    expected = copy.deepcopy(model)(x, mode='predict')
    shorten_ending(model, options())
    for found, wanted in zip(model(x, mode='predict'), expected, strict=True):
        assert torch.equal(found.seg_logits.data, wanted.seg_logits.data)


# --- form


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_cast_takes_and_gives_fp32(dtype):
    model = segmentor()
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    assert cast(model, options(dtype=dtype))
    assert next(model.backbone.parameters()).dtype is dtype
    found = model(x)
    assert found.dtype is torch.float32
    assert 0 < relative_error(found, expected) < 5e-2


@torch.no_grad()
def test_layout_is_that_asked_for():
    model = segmentor()
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    assert lay_out(model, options(memory_format='channels_last')) == 'channels last'
    assert model.backbone(x)[3].is_contiguous(memory_format=torch.channels_last)
    assert relative_error(model(x), expected) < 1e-5
    assert lay_out(segmentor(), options(memory_format='channels_first')) == 'channels first'


def test_matrices_of_the_pyramid_are_those_of_torch():
    from repvgg_seg.optimize.passes.pyramid import _averages, _up_and_shift

    cpu = torch.device('cpu')
    # 5 pixels in 2 bins: 0-2 and 2-4, as adaptive pooling has it
    third = pytest.approx(1 / 3)
    assert _averages(2, 5, torch.float32, cpu).tolist() == [[third] * 3 + [0, 0], [0, 0] + [third] * 3]
    # 2 cells on 3 pixels with aligned corners: 1 0, .5 .5, 0 1; the tap above row 0 and that below row 2 see nothing
    above, here, below = _up_and_shift(2, 3, True, torch.float32, cpu).split(2, 1)
    assert here.tolist() == [[1, 0], [0.5, 0.5], [0, 1]]
    assert above.tolist() == [[0, 0], [1, 0], [0.5, 0.5]]
    assert below.tolist() == [[0.5, 0.5], [0, 1], [0, 0]]
