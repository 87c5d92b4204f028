# Table 7: one BN, behind the addition of the branches.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='bn_after_addition')
