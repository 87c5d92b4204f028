# Paper, section 4.1, the simple recipe: 120 epochs, cosine to 0 by iteration.
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=0, end=120, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=5)
