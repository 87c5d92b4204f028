# Synthetic street scenes from scratch: small enough for two CPU cores, real enough to try everything on.
_base_ = [
    './_base_/models/pspnet.py',
    './_base_/datasets/synthetic.py',
    './_base_/schedules/mmseg_80k.py',
    './_base_/runtime/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(192, 192)),
    backbone=dict(type='RepVGG', arch='A0', output_stride=8, norm_cfg=dict(type='SyncBN', requires_grad=True)),
    decode_head=dict(in_channels=1280, channels=128),
    auxiliary_head=dict(in_channels=192, channels=64),
)
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=0, end=2000, by_epoch=False)]
train_cfg = dict(max_iters=2000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
auto_scale_lr = dict(base_batch_size=4)
