# Table 7: DiracNet's kernels, diag(a) I + diag(b) W_norm.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='dirac')
