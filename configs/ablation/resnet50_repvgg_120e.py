# End of section 4.2: ResNet-50 with a RepVGG block in the place of every 3x3 conv of its bottlenecks.
_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/imagenet.py',
    '../_base_/schedules/imagenet_120e.py',
    '../_base_/runtime/default_runtime.py',
]
model = dict(
    type='BackboneClassifier',
    num_classes=1000,
    backbone=dict(
        type='RepVGGResNet', depth=50, block='repvgg', out_indices=(3,), norm_cfg=dict(type='BN', requires_grad=True)
    ),
    data_preprocessor=dict(
        type='ClassificationPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
)
