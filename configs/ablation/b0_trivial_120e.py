# Table 7: kernels I + W.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='trivial')
