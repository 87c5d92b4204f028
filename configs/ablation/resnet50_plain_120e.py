# End of section 4.2: the ordinary ResNet-50 that it is compared with.
_base_ = './resnet50_repvgg_120e.py'
model = dict(backbone=dict(block='plain'))
