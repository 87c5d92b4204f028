"""The skyline: distant trees and buildings that close the view, so that the sky seldom touches the road."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import tint
from ..shapes import ARCH

DISTANCE = 170.0  # metres


def draw_skyline(canvas: Canvas, rng: Generator) -> None:
    """Draw distant trees and buildings from the left to the right edge of the image."""
    z = DISTANCE
    span = 0.6 * z / canvas.camera.focal
    x = -span
    while x < span:
        wide = rng.uniform(4, 22)
        leafy = rng.random() < 0.5
        top = rng.uniform(4, 11) if leafy else rng.uniform(6, 26)
        colour = tint(rng, (60, 90, 75) if leafy else (120, 125, 135), 20)
        if leafy:
            humps = np.stack((x + wide * (ARCH[:, 0] + 1) / 2, top * ARCH[:, 1], np.full(len(ARCH), z)), -1)
            canvas.fill(humps, colour, 'vegetation')
        else:
            canvas.fill(((x, 0, z), (x + wide, 0, z), (x + wide, top, z), (x, top, z)), colour, 'building')
        x += wide * rng.uniform(0.5, 1.1)
