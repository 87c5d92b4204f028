"""The names of mmpretrain's `RepVGG`."""

from .family import Family

MMPRETRAIN = Family(
    stem='stem',
    stage='stage_{}',
    first_stage=1,
    parts={
        'rbr_dense.conv': 'branch_3x3.conv',
        'rbr_dense.bn': 'branch_3x3.norm',
        'rbr_1x1.conv': 'branch_1x1.conv',
        'rbr_1x1.bn': 'branch_1x1.norm',
        'rbr_identity': 'branch_norm',
        'rbr_reparam': 'branch_reparam',
        'se.down': 'se_layer.conv1.conv',
        'se.up': 'se_layer.conv2.conv',
    },
    classifier='head.fc',
    body='backbone.',
    wrapped=True,
)
