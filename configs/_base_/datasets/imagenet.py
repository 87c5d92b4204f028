# ImageNet-1k: train/<wnid>/*.JPEG and val/<wnid>/*.JPEG. A flat val/ with a list of its own:
#   --cfg-options val_dataloader.dataset.ann_file=val.txt      (of tools/test.py: test_dataloader)
dataset_type = 'ImageNetDataset'
data_root = 'data/imagenet'
train_pipeline = [
    dict(type='LoadRandomResizedCrop', size=224),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackClassificationInputs'),
]
test_pipeline = [
    # Pillow's resizing, which averages over the pixels that it leaves out, is what the published scores come from.
    dict(type='LoadImageFromFile', imdecode_backend='pillow', color_type='color_ignore_orientation'),
    dict(type='Resize', scale=(100000, 256), keep_ratio=True, backend='pillow'),  # the short side
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackClassificationInputs'),
]
train_dataloader = dict(
    batch_size=32,  # on each of 8 GPUs
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type=dataset_type, data_root=data_root, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type=dataset_type, data_root=data_root, split='val', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='TopKAccuracy')
test_evaluator = val_evaluator
