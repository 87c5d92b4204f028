# Training on Cityscapes as the official PSPNet does it: crops of 713x713 after scaling, rotation and blur. The data
# preprocessor fills a crop that is too small with the mean colour, to the right and below.
crop_size = (713, 713)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='CheckAnnotations'),
    dict(type='RandomResize', scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    # pad_val is the mean, in the order of the channels as they are loaded (BGR).
    dict(type='RandomRotate', prob=0.5, degree=10.0, pad_val=(103.53, 116.28, 123.675), seg_pad_val=255),
    dict(type='RandomGaussianBlur', prob=0.5, kernel_size=5),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    sampler=dict(type='DefaultSampler', shuffle=True),  # an epoch has every image once
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    dataset=dict(
        pipeline=train_pipeline,
        type='CheckedCityscapesDataset',
        data_root='data/cityscapes',
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
    ),
)
