# Table 6: no identity branch.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='without_identity')
