# mmseg's own protocol, RepVGG-B1g2 with only the last five layers dilated.
_base_ = './pspnet_repvgg_a0_80k_512x1024.py'
model = dict(
    backbone=dict(arch='B1g2', dilate_last=5, init_cfg=dict(checkpoint='pretrained/RepVGG-B1g2-train.pth')),
    decode_head=dict(in_channels=2048),
    auxiliary_head=dict(in_channels=512),
)
