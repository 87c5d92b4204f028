# Paper, section 4.1, the simple recipe: random crop and flip only, cosine to 0 by iteration.
_base_ = [
    './models/repvgg_classifier.py',
    './datasets/imagenet.py',
    './schedules/imagenet.py',
    './default_runtime.py',
]
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=0, end=120, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=120)
