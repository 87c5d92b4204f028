# The full-featured block of Tables 6 and 7.
_base_ = '../imagenet/repvgg_b0_120e.py'
model = dict(block='repvgg')
