"""Leaves, of trees and hedges."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import Colour, scaled
from ..shapes import CIRCLE


def draw_leaves(canvas: Canvas, centres: np.ndarray, radius: float, colour: Colour, rng: Generator) -> None:
    """Draw clumps of leaves, polygons of five corners, around centres (N, 3); lower ones are darker."""
    order = np.argsort(centres[:, 1], kind='stable')
    angles = CIRCLE[(0, 3, 8, 12, 17), :]
    for part, brightness in zip(np.array_split(order, 3), (0.62, 0.85, 1.12), strict=True):
        corners = rng.uniform(0.55, 1.0, (len(part), 5)) * radius
        clumps = np.repeat(centres[part][:, None], 5, axis=1)
        clumps[..., :2] += corners[..., None] * angles
        canvas.fill(clumps, scaled(colour, brightness), 'vegetation')
