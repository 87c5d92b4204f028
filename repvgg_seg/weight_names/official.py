"""The names of the official code. Ours are the same, below `backbone.` as in mmseg's segmentors."""

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
)

OFFICIAL = Family(
    stem='stage0', stage='stage{}', first_stage=1, parts={part: part for part in _PARTS}, classifier='linear'
)
OURS = replace(OFFICIAL, body='backbone.', wrapped=True)
