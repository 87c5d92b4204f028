# Table 8, ResNet-50. Every 3x3 of the last two stages is dilated, as in the official PSPNet (contract_dilation=False).
# The stem is mmseg's V1c, three 3x3 convs, for which ImageNet weights exist.
_base_ = './pspnet_repvgg_b1g2.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNetV1c',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=False,
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/resnet50_v1c-2cccc1ad.pth'),
        style='pytorch',
        norm_cfg=dict(type='SyncBN', requires_grad=True),
    ),
    auxiliary_head=dict(in_channels=1024),
)
