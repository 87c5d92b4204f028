"""Masonry walls along the pavement."""

import numpy as np

from ..canvas import Canvas
from ..colours import Colour, scaled
from ..shapes import patches
from ..street import Street


def draw_wall(
    canvas: Canvas, street: Street, side: int, across: float, z0: float, z1: float, height: float, colour: Colour
) -> None:
    """Draw the stretch z0 to z1 of a wall with its joints and its coping."""
    normal = (-float(side), 0.0, 0.0)
    panel = street.panel(across, z0, z1, height)
    canvas.fill(panel, colour, 'wall', normal)
    courses = [(0.0, 1.0, v, v + 0.035) for v in np.arange(0.12, 0.9, 0.16)]
    canvas.fill(patches(panel, [*courses, (0, 0.02, 0, 1), (0.5, 0.52, 0, 1)]), scaled(colour, 0.82), None, normal)
    canvas.fill(patches(panel, (0, 1, 0.93, 1)), tuple(min(255, c * 1.15) for c in colour), None, normal)
