# Paper, section 4.1, the simple recipe: random crop and flip only. The other repvgg_*_120e.py differ in `arch` alone.
_base_ = [
    '../_base_/models/repvgg_classifier.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/imagenet.py',
    '../_base_/schedules/imagenet_120e.py',
    '../_base_/runtime/default_runtime.py',
]
model = dict(arch='A0')
