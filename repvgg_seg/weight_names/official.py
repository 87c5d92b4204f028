"""The names of the official code. Ours are the same, below `backbone.` as in mmseg's segmentors.

The official RepVGGplus, such as L2pse, has its blocks in other places, and stage 4 of the paper in two halves.
"""

from dataclasses import replace

from .family import Family

_PARTS = (
    'rbr_dense.conv',
    'rbr_dense.bn',
    'rbr_1x1.conv',
    'rbr_1x1.bn',
    'rbr_identity',
    'rbr_reparam',
    'se.down',
    'se.up',
    'post_se.down',
    'post_se.up',
)
# What the names of the auxiliary classifiers of RepVGGplus begin with. They are for training alone.
AUXILIARY = ('stage1_aux.', 'stage2_aux.', 'stage3_first_aux.')

OFFICIAL = Family(
    stem='stage0', stage='stage{}', first_stage=1, parts={part: part for part in _PARTS}, classifier='linear'
)
OURS = replace(OFFICIAL, body='backbone.', wrapped=True)
OFFICIAL_PLUS = replace(OFFICIAL, stage='stage{}.blocks', halves=(3, 'stage3_first.blocks', 'stage3_second.blocks'))
