"""Picket fences along the pavement."""

import numpy as np

from ..canvas import Canvas
from ..colours import Colour, scaled
from ..shapes import patches
from ..street import Street


def draw_fence(
    canvas: Canvas, street: Street, side: int, across: float, z0: float, z1: float, height: float, colour: Colour
) -> None:
    """Draw the stretch z0 to z1 of a fence: pales and two rails in front of a dark background."""
    normal = (-float(side), 0.0, 0.0)
    panel = street.panel(across, z0, z1, height)
    canvas.fill(panel, scaled(colour, 0.45, 12), 'fence', normal)
    pales = [(u, u + 0.055, 0.0, 1.0) for u in np.arange(0.0, 1, 0.1)]
    canvas.fill(patches(panel, [*pales, (0, 1, 0.18, 0.26), (0, 1, 0.78, 0.88)]), colour, None, normal)
