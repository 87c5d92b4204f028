# The full-featured block of Tables 6 and 7.
_base_ = '../imagenet/repvgg_a0_120e.py'
model = dict(arch='B0', block='repvgg')
