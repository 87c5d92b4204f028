# Table 7: one BN, behind the addition of the branches.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='bn_after_addition')
