# CamVid from scratch, with the slim heads that mmseg gives its light backbones.
_base_ = [
    './_base_/models/pspnet.py',
    './_base_/datasets/camvid.py',
    './_base_/schedules/mmseg_80k.py',
    './_base_/runtime/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(360, 360)),
    backbone=dict(type='RepVGG', arch='A0', output_stride=8, norm_cfg=dict(type='SyncBN', requires_grad=True)),
    decode_head=dict(in_channels=1280, channels=128, num_classes=11),
    auxiliary_head=dict(in_channels=192, channels=64, num_classes=11),
)
optim_wrapper = dict(optimizer=dict(lr=0.05))
# 10,000 iterations of 8 images: 218 epochs.
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=0, end=10000, by_epoch=False)]
train_cfg = dict(max_iters=10000, val_interval=1000)
default_hooks = dict(checkpoint=dict(interval=1000))
