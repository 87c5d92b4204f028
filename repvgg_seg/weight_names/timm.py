"""The names of timm's `byobnet`."""

from .family import Family

TIMM = Family(
    stem='stem',
    stage='stages.{}',
    first_stage=0,
    parts={
        'rbr_dense.conv': 'conv_kxk.conv',
        'rbr_dense.bn': 'conv_kxk.bn',
        'rbr_1x1.conv': 'conv_1x1.conv',
        'rbr_1x1.bn': 'conv_1x1.bn',
        'rbr_identity': 'identity',
        'rbr_reparam': 'reparam_conv',
        'se.down': 'attn.fc1',
        'se.up': 'attn.fc2',
    },
    classifier='head.fc',
    other_stage='stages_{}',  # of timm.create_model(..., features_only=True), and so of its users' encoders
)
