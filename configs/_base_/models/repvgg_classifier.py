# RepVGG with its linear classifier. A config adds `arch`.
model = dict(
    type='RepVGGClassifier',
    num_classes=1000,
    norm_cfg=dict(type='BN', requires_grad=True),
    data_preprocessor=dict(
        type='ClassificationPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
    ),
)
