# pspnet_repvgg_a0_camvid.py with the block of QARepVGG, which was made for 8 bits.
_base_ = './pspnet_repvgg_a0_camvid.py'
model = dict(backbone=dict(block='qarepvgg'))
