# Table 6: no identity branch.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='without_identity')
