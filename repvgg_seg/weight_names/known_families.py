"""The families of names that are known. A new library is a file like `timm.py` and an entry here."""

from .family import Family
from .mmpretrain import MMPRETRAIN
from .official import OFFICIAL, OFFICIAL_PLUS, OURS
from .timm import TIMM

FAMILIES: dict[str, Family] = dict(ours=OURS, official=OFFICIAL, timm=TIMM, mmpretrain=MMPRETRAIN)
# The last is recognised by fewer names than OFFICIAL, which it resembles.
TO_READ: tuple[Family, ...] = (OFFICIAL_PLUS, *FAMILIES.values())
