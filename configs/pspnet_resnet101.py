# Table 8, ResNet-101: pspnet_resnet50.py with another depth and checkpoint.
_base_ = './pspnet_repvgg_b1g2.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNetV1c',
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=False,
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/resnet101_v1c-e67eebb6.pth'),
        style='pytorch',
        norm_cfg=dict(type='SyncBN', requires_grad=True),
    ),
    auxiliary_head=dict(in_channels=1024),
)
