# Paper, section 4.1, the strong recipe: warm-up, AutoAugment, label smoothing and mixup. The other repvgg_*_200e.py
# differ in `arch` alone.
_base_ = [
    '../_base_/models/repvgg_classifier.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/imagenet.py',
    '../_base_/schedules/imagenet_200e.py',
    '../_base_/runtime/default_runtime.py',
]
model = dict(arch='B2', label_smoothing=0.1, data_preprocessor=dict(auto_augment=True, mixup_alpha=0.2))
