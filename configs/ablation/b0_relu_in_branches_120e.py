# Table 7: a ReLU in every branch. It cannot be fused, and is evaluated as it is trained.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='relu_in_branches')
