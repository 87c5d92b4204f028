"""The colours that objects are drawn in, and random variations of them.

Colours are BGR triples from 0 to 255, before the light of the scene falls on them.
"""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from numpy.random import Generator

Colour: TypeAlias = tuple[float, ...]
T = TypeVar('T')

TYRE, CHROME, GLASS = (34, 32, 32), (190, 188, 186), (72, 62, 52)
TAIL_LIGHT = (30, 25, 190)

WALLS = ((92, 110, 160), (150, 185, 205), (165, 172, 176), (110, 150, 190), (205, 212, 215), (90, 95, 100),
         (160, 150, 130), (120, 160, 175), (75, 85, 120))  # fmt: skip
ROOFS = ((60, 65, 110), (75, 75, 80), (60, 60, 62), (70, 90, 130))
PAINTS = ((45, 45, 45), (200, 200, 200), (150, 150, 152), (95, 98, 100), (120, 60, 40), (45, 40, 150),
          (160, 185, 200), (80, 100, 60), (70, 90, 130), (225, 225, 222))  # fmt: skip
TROUSERS = PAINTS[:9]
CLOTHES = (*PAINTS, (140, 110, 70), (60, 130, 190), (90, 60, 110))
SKINS = ((150, 180, 225), (120, 150, 200), (70, 95, 140), (50, 65, 95))
HAIRS = ((30, 35, 40), (50, 80, 110), (140, 145, 150))
LEAVES = ((50, 105, 80), (45, 90, 62), (60, 115, 105), (45, 120, 150), (70, 95, 70))
GRASSES = ((50, 95, 90), (60, 105, 80), (75, 115, 125))
METALS = ((95, 98, 96), (140, 142, 142), (60, 75, 60))
SIGN_FACES = ((40, 35, 190), (150, 80, 30), (40, 190, 230), (60, 110, 40))


def pick(rng: Generator, options: Sequence[T]) -> T:
    """Return one of the options, each with the same probability."""
    return options[int(rng.integers(len(options)))]


def tint(rng: Generator, colour: Colour, spread: float = 12) -> Colour:
    """Return the colour with a random change of its brightness and a smaller one of its hue."""
    common = rng.uniform(-spread, spread)
    return tuple(min(250.0, max(8.0, c + common + rng.uniform(-spread, spread) / 3)) for c in colour)


def scaled(colour: Colour, factor: float, offset: float = 0) -> Colour:
    """Return the colour made darker or brighter: every channel times ``factor``, plus ``offset``."""
    return tuple(c * factor + offset for c in colour)
