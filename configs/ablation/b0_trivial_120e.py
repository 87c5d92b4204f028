# Table 7: kernels I + W.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='trivial')
