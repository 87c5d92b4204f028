# Your own images and masks: copy this file to any place, and change the lines down to the dashes. docs/own_data.md explains them.
data_root = 'data/mine'
# Below data_root; with train/ and val/ in each, with lists train.txt and val.txt, or with neither.
folders = dict(img_path='images', seg_map_path='masks')
# Names in the order of their numbers, names with the colours in the masks, dict(sky=(0, 0, 0), road=(9, 9, 9)), or a file of them.
classes = ['background', 'object']
num_classes = len(classes)  # write the number where `classes` is a file or None
ignored = []  # numbers and colours in the masks that mean ignored, beside 255
skip_list = None  # a file of images to leave out, such as check_dataset writes
image_scale = (640, 480)  # width and height to which images are resized, which keeps their proportions
crop_size = (384, 384)  # height and width of the crops
batch_size = 8
max_iters = 10000
class_weight = None  # a number for each class, as check_dataset prints them
init_cfg = None  # weights to start from: dict(type='Pretrained', checkpoint='pretrained/RepVGG-A0-train.pth')
# --------------------------------------------------------------------------------------------------------------------
_base_ = [
    'repvgg_seg::_base_/models/pspnet.py',
    'repvgg_seg::_base_/schedules/mmseg_80k.py',
    'repvgg_seg::_base_/runtime/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=crop_size),
    backbone=dict(
        type='RepVGG', arch='A0', output_stride=8, norm_cfg=dict(type='SyncBN', requires_grad=True), init_cfg=init_cfg
    ),
    decode_head=dict(
        in_channels=1280, channels=128, num_classes=num_classes, loss_decode=dict(class_weight=class_weight)
    ),
    auxiliary_head=dict(
        in_channels=192, channels=64, num_classes=num_classes, loss_decode=dict(class_weight=class_weight)
    ),
)
load_image = dict(type='LoadImageFromFile')
load_label = [dict(type='LoadAnnotations'), dict(type='CheckAnnotations')]
pack = dict(type='PackSegInputs')
train_pipeline = [
    load_image,
    *load_label,
    dict(type='RandomResize', scale=image_scale, ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    pack,
]
# The labels keep their size here, in which predictions are compared with them.
test_pipeline = [load_image, dict(type='Resize', scale=image_scale, keep_ratio=True), *load_label, pack]
tta_scales = [tuple(int(ratio * x) for x in image_scale) for ratio in (0.75, 1, 1.25)]
tta_steps = [
    [dict(type='Resize', scale=scale, keep_ratio=True) for scale in tta_scales],
    [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
    *[[step] for step in (*load_label, pack)],
]
tta_pipeline = [load_image, dict(type='TestTimeAug', transforms=tta_steps)]


def loader(split, pipeline, size, sampler):
    return dict(
        batch_size=size,
        num_workers=4,
        persistent_workers=True,
        drop_last=split == 'train',
        sampler=sampler,
        dataset=dict(
            type='FolderDataset',
            data_root=data_root,
            data_prefix=folders,
            split=split,
            classes=classes,
            ignored=ignored,
            skip_list=skip_list,
            pipeline=pipeline,
        ),
    )


train_dataloader = loader('train', train_pipeline, batch_size, dict(type='InfiniteSampler', shuffle=True))
val_dataloader = loader('val', test_pipeline, 1, dict(type='DefaultSampler', shuffle=False))
test_dataloader = loader('test', test_pipeline, 1, dict(type='DefaultSampler', shuffle=False))
val_evaluator = dict(type='StreetIoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(max_iters=max_iters, val_interval=max(max_iters // 10, 1))
default_hooks = dict(checkpoint=dict(interval=max(max_iters // 10, 1)))
