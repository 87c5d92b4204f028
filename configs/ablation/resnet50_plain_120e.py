# End of section 4.2: the ordinary ResNet-50 that the one with RepVGG blocks is compared with.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(
    _delete_=True,
    type='BackboneClassifier',
    num_classes=1000,
    backbone=dict(
        type='RepVGGResNet', depth=50, block='plain', out_indices=(3,), norm_cfg=dict(type='BN', requires_grad=True)
    ),
    data_preprocessor=dict(
        type='ClassificationPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
)
