# Table 6: neither identity nor 1x1 branch.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='plain')
