# Table 7: DiracNet's kernels, diag(a) I + diag(b) W_norm. No weight decay on a and b, which are no kernels.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='dirac')
optim_wrapper = dict(paramwise_cfg=dict(flat_decay_mult=0.0))
