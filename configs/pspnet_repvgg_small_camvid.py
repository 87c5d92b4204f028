# The network that ships with the package, small enough for a CPU: 4.25 million parameters when fused. Its backbone is that of
# imagenet/repvgg_small_tiny_imagenet.py, and its loss weighs rare classes by 1 / ln(1.05 + share of pixels).
_base_ = './pspnet_repvgg_a0_camvid.py'
crop_size = (256, 256)
class_weight = [0.91, 0.72, 3.17, 0.58, 2.01, 1.32, 3.08, 3.1, 1.76, 3.37, 3.59]
loss = dict(type='WeightedCrossEntropyLoss', class_weight=class_weight)
model = dict(
    data_preprocessor=dict(size=crop_size),
    backbone=dict(
        arch=dict(depths=(1, 2, 4, 14, 1), a=0.5, b=1, _delete_=True),
        init_cfg=dict(type='Pretrained', checkpoint='work_dirs/repvgg_small_tiny_imagenet/epoch_3.pth'),
    ),
    decode_head=dict(in_channels=512, loss_decode=dict(_delete_=True, loss_weight=1.0, **loss)),
    auxiliary_head=dict(in_channels=128, loss_decode=dict(_delete_=True, loss_weight=0.4, **loss)),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='CheckAnnotations'),
    dict(type='RandomResize', scale=(480, 360), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=100, end=2500, by_epoch=False),
]
train_cfg = dict(max_iters=2500, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=250))
