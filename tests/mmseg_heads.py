"""Every decode head of mmseg over a small RepVGG, as far as it runs here, as configs of a segmentor."""

import copy

from small_models import SMALL, head_config

WIDTHS = (32, 64, 128, 128)  # of the four feature maps
# Why a head of mmseg is not among the HEADS.
LEFT_OUT = dict(
    CCHead='CrissCrossAttention is a compiled operator of mmcv',
    PSAHead='PSAMask is a compiled operator of mmcv',
    PointHead='point_sample comes with the compiled operators of mmcv',
    MaskFormerHead='needs mmdet',
    Mask2FormerHead='needs mmdet',
    DDRHead='reads the two outputs of a DDRNet in training, and a single tensor otherwise',
    PIDHead='reads the three outputs of a PIDNet in training, and a single tensor otherwise',
    DPTHead='reads pairs of patch and class tokens of a transformer',
    SideAdapterCLIPHead='reads the maps of a CLIP model',
    VPDDepthHead='predicts depth',
    KernelUpdateHead='a part of IterativeDecodeHead, not a head',
    KernelUpdator='a part of IterativeDecodeHead, not a head',
)


def _wide(kind, **kwargs):
    """A head over all maps."""
    return head_config(kind, **{'in_channels': list(WIDTHS), 'in_index': [0, 1, 2, 3], **kwargs})


def _knet():
    update = dict(
        type='KernelUpdateHead',
        num_classes=5,
        num_ffn_fcs=2,
        num_heads=2,
        num_mask_fcs=1,
        feedforward_channels=32,
        in_channels=16,
        out_channels=16,
        feat_transform_cfg=dict(conv_cfg=dict(type='Conv2d'), act_cfg=None),
        kernel_updator_cfg=dict(
            type='KernelUpdator',
            in_channels=16,
            feat_channels=16,
            out_channels=16,
            gate_norm_act=True,
            act_cfg=dict(type='ReLU', inplace=True),
            norm_cfg=dict(type='LN'),
        ),
    )
    generate = head_config('FCNHead', num_convs=2)
    return dict(
        type='IterativeDecodeHead', num_stages=2, kernel_update_head=[update] * 2, kernel_generate_head=generate
    )


HEADS = dict(
    ANNHead=_wide('ANNHead', in_channels=[128, 128], in_index=[2, 3], project_channels=8),
    APCHead=head_config('APCHead', pool_scales=(1, 2, 3, 6)),
    ASPPHead=head_config('ASPPHead', dilations=(1, 2, 4)),
    DAHead=head_config('DAHead', pam_channels=8),
    DMHead=head_config('DMHead', filter_sizes=(1, 3, 5, 6)),
    DNLHead=head_config('DNLHead'),
    DepthwiseSeparableASPPHead=head_config(
        'DepthwiseSeparableASPPHead', dilations=(1, 2), c1_in_channels=32, c1_channels=4
    ),
    DepthwiseSeparableFCNHead=head_config('DepthwiseSeparableFCNHead', num_convs=2),
    EMAHead=head_config('EMAHead', ema_channels=16, num_bases=4, num_stages=2),
    EncHead=_wide('EncHead', in_channels=[64, 128, 128], in_index=[1, 2, 3], num_codes=4, add_lateral=True),
    FCNHead=head_config('FCNHead', num_convs=2),
    FPNHead=_wide('FPNHead', feature_strides=[4, 8, 16, 32]),
    GCHead=head_config('GCHead'),
    ISAHead=head_config('ISAHead', isa_channels=8, down_factor=(3, 3)),
    IterativeDecodeHead=_knet(),
    LRASPPHead=_wide(
        'LRASPPHead',
        in_channels=[32, 64, 128],
        in_index=[0, 1, 2],
        input_transform='multiple_select',
        branch_channels=(4, 8),
    ),
    LightHamHead=_wide('LightHamHead', in_channels=[64, 128], in_index=[1, 3], ham_kwargs=dict(MD_R=4)),
    NLHead=head_config('NLHead'),
    OCRHead=[head_config('FCNHead', num_convs=1), head_config('OCRHead', ocr_channels=8)],
    PSPHead=head_config('PSPHead'),
    SETRMLAHead=_wide(
        'SETRMLAHead', in_channels=list(WIDTHS[1:]), in_index=[1, 2, 3], mla_channels=4, channels=12, up_scale=2
    ),
    SETRUPHead=head_config('SETRUPHead', num_convs=2, up_scale=2),
    STDCHead=head_config('STDCHead', num_convs=1, num_classes=2),
    SegformerHead=_wide('SegformerHead'),
    SegmenterMaskTransformerHead=head_config(
        'SegmenterMaskTransformerHead', num_layers=1, num_heads=2, embed_dims=16, norm_cfg=dict(type='LN')
    ),
    UPerHead=_wide('UPerHead'),
)
SIZES = dict(LRASPPHead=(200, 204))  # of the images, where 64x96 is too small


def segmentor_config(name, **kwargs):
    """A segmentor with a head, or with a cascade of heads."""
    head = HEADS[name]
    cascade = isinstance(head, list)
    cfg = dict(
        type='CascadeEncoderDecoder' if cascade else 'EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, size_divisor=1),
        # The head of Lite R-ASPP pools over 49x49 pixels of its last map.
        backbone=dict(type='RepVGG', arch=SMALL, output_stride=8, stem_stride=1 if name == 'LRASPPHead' else 2),
        decode_head=head,
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )
    if cascade:
        cfg['num_stages'] = len(head)
    return copy.deepcopy({**cfg, **kwargs})
