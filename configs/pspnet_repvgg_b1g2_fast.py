# Table 8, RepVGG-B1g2-fast: only the last five layers dilated.
_base_ = './pspnet_repvgg_b1g2.py'
model = dict(backbone=dict(dilate_last=5))
