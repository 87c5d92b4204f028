# Table 7: a shortcut around every two layers, in training and inference.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='residual')
