# Table 8, RepVGG-B1g2: every 3x3 of the last two stages dilated. The other configs of Table 8 inherit from this one.
#
# The protocol is that of the official PSPNet code, which the paper keeps: align_corners, sizes of 8k + 1, a loss averaged
# over the pixels that have a label, and a sliding window of 713x713 that moves by ceil(713 * 2 / 3) pixels.
_base_ = [
    './_base_/models/pspnet.py',
    './_base_/datasets/cityscapes.py',
    './_base_/datasets/cityscapes_train_713x713.py',
    './_base_/schedules/paper_40e.py',
    './_base_/runtime/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(713, 713)),
    backbone=dict(
        type='RepVGG',
        arch='B1g2',
        output_stride=8,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/RepVGG-B1g2-train.pth'),
    ),
    decode_head=dict(in_channels=2048, align_corners=True, loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(in_channels=512, align_corners=True, loss_decode=dict(avg_non_ignore=True)),
    test_cfg=dict(mode='slide', crop_size=(713, 713), stride=(476, 476)),
)
