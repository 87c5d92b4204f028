# The baseline of pspnet_repvgg_a0_camvid.py: all the same but the backbone.
_base_ = './pspnet_repvgg_a0_camvid.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNetV1c',
        depth=18,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=False,
        style='pytorch',
        norm_cfg=dict(type='SyncBN', requires_grad=True),
    ),
    decode_head=dict(in_channels=512),
    auxiliary_head=dict(in_channels=256),
)
