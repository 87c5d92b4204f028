_base_ = './repvgg_a0_120e.py'
model = dict(arch='B2g2')
