_base_ = '../_base_/imagenet_200e.py'
model = dict(arch='B3g2')
