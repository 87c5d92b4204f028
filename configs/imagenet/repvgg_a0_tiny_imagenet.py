# Tiny-ImageNet: images of 64x64, whose size the stem keeps (stem_stride=1). The test images are neither resized nor cut.
# For a part of 50 classes: --cfg-options model.num_classes=50.
_base_ = [
    '../_base_/models/repvgg_classifier.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/imagenet.py',
    '../_base_/runtime/default_runtime.py',
]
data_root = 'data/tiny_imagenet'
train_pipeline = [
    dict(type='LoadRandomResizedCrop', size=64, scale=(0.25, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackClassificationInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', imdecode_backend='pillow', color_type='color_ignore_orientation'),
    dict(type='PackClassificationInputs'),
]
model = dict(
    arch='A0',
    num_classes=200,
    stem_stride=1,
    label_smoothing=0.1,
    data_preprocessor=dict(mixup_alpha=0.2),
)
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
# There are few images: more weight decay than for ImageNet, a rate for 64 images, a warm-up of 5 of 60 epochs.
optim_wrapper = dict(optimizer=dict(lr=0.1, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=5, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=5, end=60, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=60, val_interval=5)
