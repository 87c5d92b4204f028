# mmseg's own protocol: crops of 512x1024, 80,000 iterations, whole-image test.
_base_ = [
    './_base_/models/pspnet.py',
    './_base_/datasets/cityscapes_512x1024.py',
    './_base_/schedules/mmseg_80k.py',
    './_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    backbone=dict(
        type='RepVGG',
        arch='B1g2',
        output_stride=8,
        dilate_last=5,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/RepVGG-B1g2-train.pth'),
    ),
    decode_head=dict(in_channels=2048),
    auxiliary_head=dict(in_channels=512),
)
