# Table 7: a shortcut around every two layers, in training and inference.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='residual')
