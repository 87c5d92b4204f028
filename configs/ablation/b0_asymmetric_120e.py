# Table 7: 3x3, 1x3 and 3x1 branches (ACB).
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='asymmetric')
