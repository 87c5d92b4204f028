"""Simple shapes that many objects are made of: discs, limbs, and rectangles on a panel."""

import math

import numpy as np
from numpy.typing import ArrayLike

from .canvas import Canvas
from .colours import Colour

CIRCLE = np.array([(math.cos(math.pi * k / 10), math.sin(math.pi * k / 10)) for k in range(20)])  # of radius 1
ARCH = CIRCLE[:11]  # the upper half of the circle


def disc(centre: ArrayLike, radius: float, axis: tuple[float, float] = (1.0, 0.0)) -> np.ndarray:
    """Return points (20, 3) on an upright circle; ``axis`` = (x, z) is a unit vector on the ground in its plane."""
    return CIRCLE[:, (0, 1, 0)] * (axis[0] * radius, radius, axis[1] * radius) + np.asarray(centre)


def draw_limb(canvas: Canvas, start: ArrayLike, end: ArrayLike, radius: float, colour: Colour, name: str) -> None:
    """Draw a bar with round ends between two world points, such as a leg, an arm, a tube or a trunk."""
    canvas.hull(np.concatenate((disc(start, radius), disc(end, radius))), colour, name)


def patches(panel: np.ndarray, rectangles: ArrayLike) -> np.ndarray:
    """Return the world corners (M, 4, 3) of rectangles on a panel.

    Args:
        panel: world corners (4, 3) of the panel, from the lower left around to the upper left.
        rectangles: (M, 4) of (u0, u1, v0, v1), in shares of the panel from its left and its lower edge.
    """
    rectangles = np.asarray(rectangles, np.float64).reshape(-1, 4)
    u = rectangles[:, (0, 1, 1, 0), None]
    v = rectangles[:, (2, 2, 3, 3), None]
    return (1 - v) * ((1 - u) * panel[0] + u * panel[1]) + v * ((1 - u) * panel[3] + u * panel[2])
