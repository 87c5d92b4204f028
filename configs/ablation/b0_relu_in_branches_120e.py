# Table 7: a ReLU in every branch. It cannot be fused, and is evaluated as it is trained.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='relu_in_branches')
