"""The names of mmpretrain's `RepVGG`."""

from .family import Family

MMPRETRAIN = Family(
    'stem',
    'stage_{}',
    1,
    (
        'branch_3x3.conv',
        'branch_3x3.norm',
        'branch_1x1.conv',
        'branch_1x1.norm',
        'branch_norm',
        'branch_reparam',
        'se_layer.conv1.conv',
        'se_layer.conv2.conv',
    ),
    'head.fc',
    body='backbone.',
    wrapped=True,
)
