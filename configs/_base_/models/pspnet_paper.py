# PSPNet in the conventions of the official code, which the paper keeps: align_corners, sizes of 8k + 1, a loss
# averaged over the pixels that have a label, and a sliding window of 713x713 that moves by ceil(713 * 2 / 3).
_base_ = './pspnet.py'
model = dict(
    data_preprocessor=dict(size=(713, 713)),
    decode_head=dict(align_corners=True, loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(align_corners=True, loss_decode=dict(avg_non_ignore=True)),
    test_cfg=dict(mode='slide', crop_size=(713, 713), stride=(476, 476)),
)
