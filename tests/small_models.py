"""Small networks with random BN, for the tests of the rewrites."""

from helpers import randomise_bn
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from torch.nn.modules.batchnorm import _BatchNorm

from repvgg_seg.optimize.options import Options

SMALL = dict(depths=(1, 1, 2, 3, 1), a=0.5, b=0.25)


def options(**kwargs):
    return Options(**{'input_shape': (1, 3, 64, 64), **kwargs})


def psp_head(align_corners=False, pool_scales=(1, 2, 3, 6), **kwargs):
    """A head on the fourth of four feature maps, which has 16 channels."""
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


def head_config(kind, **kwargs):
    """A head of 5 classes over the last map of a RepVGG of the spec SMALL."""
    common = dict(in_channels=128, in_index=3, channels=16, num_classes=5, norm_cfg=dict(type='BN'))
    return dict(type=kind, **{**common, **kwargs})


def segmentor(**kwargs):
    """PSPNet on a RepVGG of eight layers, with an auxiliary head."""
    cfg = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True),
        backbone=dict(type='RepVGG', arch=SMALL, output_stride=8),
        decode_head=head_config('PSPHead', channels=12),
        auxiliary_head=dict(type='FCNHead', in_channels=128, in_index=2, channels=8, num_classes=5, num_convs=1),
        test_cfg=dict(mode='whole'),
    )
    return randomise_bn(MODELS.build(ConfigDict({**cfg, **kwargs}))).eval()


def resnet():
    """A narrow ResNet-50 of output stride 8."""
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
