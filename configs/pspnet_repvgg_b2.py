# Table 8, RepVGG-B2: every 3x3 of the last two stages dilated.
_base_ = [
    './_base_/models/pspnet_paper.py',
    './_base_/datasets/cityscapes_713x713.py',
    './_base_/schedules/paper_40e.py',
    './_base_/default_runtime.py',
]
model = dict(
    backbone=dict(
        type='RepVGG',
        arch='B2',
        output_stride=8,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/RepVGG-B2-train.pth'),
    ),
    decode_head=dict(type='QuarterPSPHead', in_channels=2560),
    auxiliary_head=dict(in_channels=640),
)
