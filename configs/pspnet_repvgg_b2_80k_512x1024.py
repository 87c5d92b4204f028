# mmseg's own protocol, RepVGG-B2.
_base_ = './pspnet_repvgg_a0_80k_512x1024.py'
model = dict(
    backbone=dict(arch='B2', init_cfg=dict(checkpoint='pretrained/RepVGG-B2-train.pth')),
    decode_head=dict(in_channels=2560),
    auxiliary_head=dict(in_channels=640),
)
