# RepVGG with its linear classifier. A config adds `arch`.
model = dict(
    type='RepVGGClassifier',
    num_classes=1000,
    norm_cfg=dict(type='BN', requires_grad=True),
    data_preprocessor=dict(type='ClassificationPreprocessor'),
)
