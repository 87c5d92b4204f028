# The depth of B0 with a quarter of its channels, on 50 classes of Tiny-ImageNet, by the simple recipe: small enough for a CPU. Any
# row of Tables 6 and 7: --cfg-options model.block=plain, or tools/ablation.py for several.
_base_ = '../imagenet/repvgg_a0_tiny_imagenet.py'
data_root = 'data/tiny_imagenet_50'
model = dict(
    arch=dict(depths=(1, 4, 6, 16, 1), a=0.25, b=0.5, _delete_=True),
    block='repvgg',
    num_classes=50,
    stem_stride=2,
    label_smoothing=0.0,
    data_preprocessor=dict(mixup_alpha=None),
)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=0, end=20, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=20, val_interval=10)
