# mmseg's own protocol: crops of 512x1024, 80,000 iterations, whole-image test. The other *_80k_512x1024.py inherit it.
_base_ = [
    './_base_/models/pspnet.py',
    './_base_/datasets/cityscapes.py',
    './_base_/datasets/cityscapes_train_512x1024.py',
    './_base_/schedules/mmseg_80k.py',
    './_base_/runtime/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    backbone=dict(
        type='RepVGG',
        arch='A0',
        output_stride=8,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/RepVGG-A0-train.pth'),
    ),
    decode_head=dict(in_channels=1280),
    auxiliary_head=dict(in_channels=192),
)
