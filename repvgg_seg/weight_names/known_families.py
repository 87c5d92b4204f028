"""The families of names that are known. A new library is a file like `timm.py` and an entry here."""

from .family import Family
from .mmpretrain import MMPRETRAIN
from .official import OFFICIAL, OURS
from .timm import TIMM

FAMILIES: dict[str, Family] = dict(ours=OURS, official=OFFICIAL, timm=TIMM, mmpretrain=MMPRETRAIN)
