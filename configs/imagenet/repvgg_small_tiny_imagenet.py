# The backbone of ../pspnet_repvgg_small_camvid.py, pretrained for a few epochs on the whole of Tiny-ImageNet, with the stem
# that it has there (stride 2).
_base_ = './repvgg_a0_tiny_imagenet.py'
model = dict(
    arch=dict(depths=(1, 2, 4, 14, 1), a=0.5, b=1, _delete_=True),
    stem_stride=2,
    data_preprocessor=dict(mixup_alpha=0.0),
)
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=0.2, weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=0.2, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=0.2, end=3, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=128)
train_cfg = dict(max_epochs=3, val_interval=1)
