# Table 7: no BN in the identity branch.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='identity_without_bn')
