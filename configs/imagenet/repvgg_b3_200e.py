_base_ = './repvgg_b2_200e.py'
model = dict(arch='B3')
