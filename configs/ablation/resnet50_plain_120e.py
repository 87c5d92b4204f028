# End of section 4.2: the ordinary ResNet-50 that the one with RepVGG blocks is compared with.
_base_ = './resnet50_repvgg_120e.py'
model = dict(backbone=dict(block='plain'))
