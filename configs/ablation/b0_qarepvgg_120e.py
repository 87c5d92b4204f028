# Not in the paper: QARepVGG's block, made for int8: BN on the 3x3 branch and behind the addition.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='qarepvgg')
