_base_ = '../_base_/imagenet_120e.py'
model = dict(arch='B1')
