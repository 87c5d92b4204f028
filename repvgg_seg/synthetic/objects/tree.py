"""Trees along the street and on open plots."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import Colour, scaled, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..shapes import disc, draw_limb
from .leaves import draw_leaves


def add_tree(scene: SceneBuilder, pose: Pose, height: float, width: float, leaves: Colour) -> None:
    """Add a tree ``height`` metres tall, whose shadow is ``width`` metres wide, with about that colour of leaves."""
    scene.add_shadowed(pose, (width, width, height), draw_tree, height, tint(scene.rng, leaves), scene.rng)


def draw_tree(canvas: Canvas, pose: Pose, height: float, colour: Colour, rng: Generator) -> None:
    """Draw a trunk and a crown of overlapping round boughs, all of which Cityscapes labels as vegetation."""
    spread = height * rng.uniform(0.24, 0.34)
    bole = height * 0.35
    draw_limb(canvas, (pose.x, 0, pose.z), (pose.x, bole * 1.3, pose.z), height * 0.022, (44, 60, 76), 'vegetation')
    turn = rng.uniform(0, 1, 11)
    lift = np.sort(rng.uniform(0, 1, 11))
    for u, v in zip(turn, lift, strict=True):
        narrow = 1 - abs(2 * v - 0.8) * 0.6
        x = pose.x + (2 * u - 1) * spread * narrow
        y = bole + v * (height - bole) * 0.85
        brightness = 0.6 + 0.5 * v - 0.15 * (2 * u - 1) * (-1 if canvas.light.sun[0] > 0 else 1)
        canvas.hull(disc((x, y, pose.z), spread * 0.5), scaled(colour, brightness), 'vegetation')
    centres = np.stack((turn * 2 - 1, lift, np.zeros(11)), -1)
    centres = np.concatenate((centres, centres[::-1] * (0.9, 1, 0), centres * (1.15, 1.0, 0), centres * (0.4, 0.9, 0)))
    centres = centres * (spread, (height - bole) * 0.95, 0) + (pose.x, bole, pose.z)
    draw_leaves(canvas, centres, spread * 0.22, colour, rng)
