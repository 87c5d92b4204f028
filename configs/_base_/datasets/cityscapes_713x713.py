# Cityscapes as the official PSPNet trains on it: crops of 713x713 after scaling, rotation and blur. What a crop
# lacks is filled with the mean colour, by the data preprocessor, to the right and below.
_base_ = './cityscapes_512x1024.py'
crop_size = (713, 713)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='CheckAnnotations'),
    dict(type='RandomResize', scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    # pad_val: the mean, in the order of the channels as they are loaded (BGR)
    dict(type='RandomRotate', prob=0.5, degree=10.0, pad_val=(103.53, 116.28, 123.675), seg_pad_val=255),
    dict(type='RandomGaussianBlur', prob=0.5, kernel_size=5),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True), dataset=dict(pipeline=train_pipeline)
)
