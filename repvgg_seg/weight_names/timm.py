"""The names of timm's `byobnet`."""

from .family import Family

TIMM = Family(
    'stem',
    'stages.{}',
    0,
    (
        'conv_kxk.conv',
        'conv_kxk.bn',
        'conv_1x1.conv',
        'conv_1x1.bn',
        'identity',
        'reparam_conv',
        'attn.fc1',
        'attn.fc2',
    ),
    'head.fc',
)
