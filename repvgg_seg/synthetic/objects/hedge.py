"""Clipped hedges along the pavement."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import Colour, scaled
from ..shapes import patches
from ..street import Street
from .leaves import draw_leaves


def draw_hedge(
    canvas: Canvas,
    street: Street,
    across: float,
    z0: float,
    z1: float,
    height: float,
    colour: Colour,
    rng: Generator,
) -> None:
    """Draw the stretch z0 to z1 of a hedge."""
    panel = street.panel(across, z0, z1, height)
    canvas.fill(panel, scaled(colour, 0.7), 'vegetation')
    u, v = rng.random(14), rng.uniform(0.1, 1.0, 14)
    draw_leaves(canvas, patches(panel, np.stack((u, u, v, v), -1))[:, 0], height * 0.16, colour, rng)
