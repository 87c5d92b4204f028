# Table 7: DiracNet's kernels, diag(a) I + diag(b) W_norm.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='dirac')
