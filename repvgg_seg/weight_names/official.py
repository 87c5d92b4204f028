"""The names of the official code, which are ours too; our own files hold them below `backbone.`, as mmseg's segmentors do."""

from .family import OFFICIAL_PARTS, Family

OFFICIAL = Family('stage0', 'stage{}', 1, OFFICIAL_PARTS, 'linear')
OURS = Family('stage0', 'stage{}', 1, OFFICIAL_PARTS, 'linear', body='backbone.', wrapped=True)
