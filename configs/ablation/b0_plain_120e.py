# Table 6: neither identity nor 1x1 branch.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='plain')
