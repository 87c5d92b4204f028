# Paper, section 4.1, the strong recipe: warm-up, AutoAugment, label smoothing and mixup.
_base_ = [
    './models/repvgg_classifier.py',
    './datasets/imagenet.py',
    './schedules/imagenet.py',
    './default_runtime.py',
]
model = dict(label_smoothing=0.1, data_preprocessor=dict(auto_augment=True, mixup_alpha=0.2))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, begin=0, end=5, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=5, end=200, by_epoch=True, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=200)
