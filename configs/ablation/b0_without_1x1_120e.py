# Table 6: no 1x1 branch.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='without_1x1')
