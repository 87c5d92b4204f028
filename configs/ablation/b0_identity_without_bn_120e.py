# Table 7: no BN in the identity branch.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='identity_without_bn')
