# Table 8, RepVGG-B1g2-fast: only the last five layers dilated.
_base_ = [
    './_base_/models/pspnet_paper.py',
    './_base_/datasets/cityscapes_713x713.py',
    './_base_/schedules/paper_40e.py',
    './_base_/default_runtime.py',
]
model = dict(
    backbone=dict(
        type='RepVGG',
        arch='B1g2',
        output_stride=8,
        dilate_last=5,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/RepVGG-B1g2-train.pth'),
    ),
    decode_head=dict(in_channels=2048),
    auxiliary_head=dict(in_channels=512),
)
