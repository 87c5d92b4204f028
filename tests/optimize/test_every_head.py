"""Every head of mmseg, and heads as users write them: trained a step, fused and optimized."""

import pytest
import torch
import torch.nn.functional as F
from helpers import randomise_bn, relative_error
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmseg.models import decode_heads
from mmseg.models.decode_heads import FCNHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg_heads import HEADS, LEFT_OUT, SIZES, WIDTHS, segmentor_config
from small_models import segmentor
from torch import nn

import repvgg_seg
from repvgg_seg.models.block import find_blocks

BN = dict(type='BN')
# A neck, the settings of the backbone that it goes with, and the map and the width that a head gets from it.
NECKS = dict(
    FPN=(dict(in_channels=list(WIDTHS), out_channels=16, num_outs=4), {}, 3, 16),
    MultiLevelNeck=(dict(in_channels=list(WIDTHS), out_channels=16, scales=[1, 1, 1, 1], norm_cfg=BN), {}, 3, 16),
    JPU=(dict(in_channels=WIDTHS, mid_channels=8, start_level=1, dilations=(1, 2), norm_cfg=BN), {}, -1, 16),
    ICNeck=(dict(in_channels=WIDTHS[1:], out_channels=16), dict(out_indices=(1, 2, 3), output_stride=32), 2, 16),
    Feature2Pyramid=(dict(embed_dim=128, norm_cfg=BN), dict(out_indices=(3, 2, 3, 2)), 0, 128),
)


def build(cfg):
    return randomise_bn(MODELS.build(ConfigDict(cfg)))


def batch(size, classes=5):
    labels = torch.randint(classes, (2, 1, *size))
    labels[..., :3] = 255
    samples = [
        SegDataSample(gt_sem_seg=PixelData(data=label), metainfo=dict(img_shape=size, ori_shape=size))
        for label in labels
    ]
    return dict(inputs=list(torch.randint(256, (2, 3, *size))), data_samples=samples)


def check_step_fusion_and_optimizing(model, size=(64, 96), classes=5):
    """One step of training moves the backbone; fused and optimized, the model predicts what it did."""
    data = batch(size, classes)
    before = model.backbone.stage0.rbr_dense.conv.weight.clone()
    losses = model.train().train_step(data, OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-4)))
    assert torch.isfinite(losses['loss']) and not torch.equal(before, model.backbone.stage0.rbr_dense.conv.weight)
    expected = predict(model.eval(), data)
    fused = repvgg_seg.reparameterize_model(model)
    assert not find_blocks(fused)
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, *size))
    for rewritten in (fused, optimized):
        logits, labels = predict(rewritten, data)
        assert relative_error(logits, expected[0]) < 1e-5
        assert (labels == expected[1]).float().mean() > 0.9999
    return optimized


@torch.inference_mode()
def predict(model, data):
    torch.manual_seed(0)  # LightHamHead draws its bases
    samples = model.test_step(data)
    return tuple(torch.stack([sample.get(key).data for sample in samples]) for key in ('seg_logits', 'pred_sem_seg'))


def test_every_head_of_mmseg_is_tried_or_left_out_with_a_reason():
    assert {*HEADS, *LEFT_OUT} == {*decode_heads.__all__} and not {*HEADS} & {*LEFT_OUT}


@pytest.mark.slow
@pytest.mark.parametrize('name', HEADS)
def test_a_head_of_mmseg(name):
    optimized = check_step_fusion_and_optimizing(build(segmentor_config(name)), SIZES.get(name, (64, 96)))
    assert {'fusion', 'conv_bn', 'strip', 'memory_format'} <= {*optimized.optimize_report}


@pytest.mark.slow
@pytest.mark.parametrize('name, maps', [('DepthwiseSeparableASPPHead', (0, 3)), ('DMHead', (3,)), ('ANNHead', (2, 3))])
def test_the_maps_that_a_head_reads_are_kept(name, maps):
    model = build(segmentor_config(name)).eval()
    data = batch((64, 96))
    expected = predict(model, data)[0]
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 96))
    assert optimized.backbone.out_indices == maps
    assert relative_error(predict(optimized, data)[0], expected) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize('name', NECKS)
def test_a_neck_of_mmseg(name):
    neck, backbone, in_index, in_channels = NECKS[name]
    cfg = segmentor_config('FCNHead', neck=dict(type=name, **neck))
    cfg['backbone'].update(backbone)
    cfg['decode_head'].update(in_index=in_index, in_channels=in_channels)
    check_step_fusion_and_optimizing(build(cfg))


def user_head(cls, **kwargs):
    cfg = dict(in_channels=128, in_index=3, channels=16, num_classes=5, num_convs=1, norm_cfg=dict(type='BN'))
    return dict(type=cls, **{**cfg, **kwargs})


class Views(FCNHead):
    """Takes a view of a map over the batch and the channels, as DMHead does, behind a 3x3 conv."""

    def forward(self, inputs):
        x = self._forward_feature(inputs)
        return self.cls_seg(x.view(-1, *x.shape[2:]).view(x.shape))


class ReadsTheLastOne(FCNHead):
    """Reads by a place of its own, whatever its `in_index` says."""

    def _transform_inputs(self, inputs):
        return inputs[-1]


class ReadsByTheSize(FCNHead):
    """Reads another map for large images: a run on small ones does not show it."""

    def _transform_inputs(self, inputs):
        x = inputs[3]
        return x + inputs[0].mean() if x.shape[2] > 20 else x


class ReturnsAList(FCNHead):
    def forward(self, inputs):
        logits = super().forward(inputs)
        return [logits, inputs[0]]

    def predict(self, inputs, batch_img_metas, test_cfg):
        return self.predict_by_feat(self.forward(inputs)[0], batch_img_metas)

    def loss_by_feat(self, seg_logits, batch_data_samples):
        return super().loss_by_feat(seg_logits[0], batch_data_samples)


class AsksItsDropout(FCNHead):
    def cls_seg(self, feat):
        return self.conv_seg(F.dropout2d(feat, self.dropout.p, self.training))


class OwnSegmentor(EncoderDecoder):
    """Adds up two maps before the head."""

    def extract_feat(self, inputs):
        maps = self.backbone(inputs)
        return [*maps[:3], maps[3] + maps[2]]


SETTINGS = dict(
    views=dict(decode_head=user_head(Views)),
    reads_the_last_one=dict(decode_head=user_head(ReadsTheLastOne)),
    reads_by_the_size=dict(decode_head=user_head(ReadsByTheSize)),
    returns_a_list=dict(decode_head=user_head(ReturnsAList)),
    asks_its_dropout=dict(decode_head=user_head(AsksItsDropout)),
    own_segmentor=dict(type=OwnSegmentor),
    align_corners=dict(decode_head=user_head('FCNHead', in_index=-1, align_corners=True)),
    group_norm=dict(decode_head=user_head('FCNHead', norm_cfg=dict(type='GN', num_groups=2))),
    instance_norm=dict(decode_head=user_head('FCNHead', norm_cfg=dict(type='IN'))),
    hard_pixels=dict(decode_head=user_head('FCNHead', sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=99))),
    concatenated=dict(
        decode_head=user_head('FCNHead', in_channels=[64, 128], in_index=[1, -1], input_transform='resize_concat')
    ),
    two_auxiliary_heads=dict(
        auxiliary_head=[user_head('FCNHead', in_index=2), user_head('FCNHead', in_index=1, in_channels=64)]
    ),
    windows=dict(test_cfg=dict(mode='slide', crop_size=(40, 40), stride=(24, 24))),
    one_logit=dict(
        decode_head=user_head(
            'FCNHead',
            num_classes=2,
            out_channels=1,
            threshold=0.4,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
        )
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize('name', SETTINGS)
def test_a_users_head_and_settings(name):
    model = build({**segmentor_config('PSPHead'), **SETTINGS[name]})
    check_step_fusion_and_optimizing(model, classes=model.num_classes)


def test_a_head_that_reads_by_the_size_of_the_image_keeps_its_maps():
    model = build({**segmentor_config('PSPHead'), 'decode_head': user_head(ReadsByTheSize)}).eval()
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64))
    assert optimized.backbone.out_indices == (0, 1, 2, 3)
    image = torch.randn(1, 3, 192, 64)
    with torch.inference_mode():
        assert relative_error(optimized(image), model(image)) < 1e-5


@pytest.fixture
def warnings_of(monkeypatch):
    messages = []
    for module in ('optimize', 'run_passes'):
        monkeypatch.setattr(
            f'repvgg_seg.optimize.{module}.print_log', lambda message, logger, level=0: messages.append(message)
        )
    return messages


class Fragile(nn.Module):
    """A conv that cannot be told from any other, behind which a rewrite goes wrong."""

    def __init__(self, wrong):
        super().__init__()
        self.wrong = wrong
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.block = nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8))

    def forward(self, x):
        folded = isinstance(self.block[1], nn.Identity)
        if folded and self.wrong == 'raises':
            raise RuntimeError('a BN\nis missing')
        return self.block(self.conv(x)) * (2 if folded else 1)


@pytest.mark.parametrize(
    'wrong, reason',
    [
        ('raises', 'the model then raises RuntimeError: a BN'),
        ('differs', 'the model then computes something else (relative error 1.0e+00)'),
    ],
)
@torch.inference_mode()
def test_a_pass_that_goes_wrong_is_undone(wrong, reason, warnings_of):
    model = randomise_bn(Fragile(wrong)).eval()
    image = torch.randn(1, 3, 20, 20)
    expected, before = model(image), str(model)
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 20, 20), memory_format='channels_first')
    assert warnings_of[0] == f'optimize: conv_bn: left out: {reason}'
    assert torch.equal(optimized(image), expected) and str(optimized) == before


@pytest.mark.slow
@torch.inference_mode()
def test_half_precision_that_overflows_is_undone(warnings_of):
    model = segmentor()
    model.decode_head.conv_seg.bias.fill_(1e6)
    image = torch.randn(1, 3, 64, 64)
    optimized = repvgg_seg.optimize_for_inference(model, dtype='fp16', input_shape=(1, 3, 64, 64))
    assert any(message.startswith('optimize: dtype: left out') for message in warnings_of)
    assert relative_error(optimized(image), model(image)) < 1e-5


@torch.inference_mode()
def test_a_model_that_takes_one_size_only(warnings_of):
    class OneSize(EncoderDecoder):
        def extract_feat(self, inputs):
            assert inputs.shape[2:] == (48, 48), 'positions are for 48x48'
            return super().extract_feat(inputs)

    model = build({**segmentor_config('PSPHead'), 'type': OneSize}).eval()
    image = torch.randn(1, 3, 48, 48)
    expected = model(image)
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 48, 48))
    assert not any('left out' in message for message in warnings_of)
    assert relative_error(optimized(image), expected) < 1e-5
    warnings_of.clear()
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64))
    assert 'input_shape=(1, 3, 64, 64): AssertionError: positions are for 48x48' in warnings_of[0]
    assert relative_error(optimized(image), expected) < 1e-5
