# Table 8, RepVGG-B2: every 3x3 of the last two stages dilated.
_base_ = './pspnet_repvgg_b1g2.py'
model = dict(
    backbone=dict(arch='B2', init_cfg=dict(checkpoint='pretrained/RepVGG-B2-train.pth')),
    decode_head=dict(type='FoldedQuarterPSPHead', in_channels=2560),
    auxiliary_head=dict(in_channels=640),
)
