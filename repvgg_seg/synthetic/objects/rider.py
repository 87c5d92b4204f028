"""Cyclists and motorcyclists."""

import numpy as np

from ..canvas import Canvas
from ..colours import Colour
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..shapes import disc, draw_limb
from .bicycle import draw_bicycle
from .motorcycle import draw_motorcycle
from .person import Figure, draw_head

DRAW_MACHINE = {'bicycle': draw_bicycle, 'motorcycle': draw_motorcycle}


def add_rider(scene: SceneBuilder, pose: Pose, figure: Figure, colour: Colour, machine: str) -> None:
    """Add somebody on a 'bicycle' or 'motorcycle' of the given colour."""
    scene.add_shadowed(pose, (0.5, 1.7, 1.7), draw_rider, figure, colour, machine)


def draw_rider(canvas: Canvas, pose: Pose, figure: Figure, colour: Colour, machine: str) -> None:
    """Draw somebody on a 'bicycle' or 'motorcycle'; the person is a rider, and the machine keeps its own class."""
    DRAW_MACHINE[machine](canvas, pose, colour)
    for side in (-1, 1):
        hip, knee = pose.world((side * 0.12, 0.95, -0.2)), pose.world((side * 0.16, 0.7, 0.18))
        foot = pose.world((side * 0.14, 0.3, 0.02))
        draw_limb(canvas, hip, knee, 0.085, figure.trousers, 'rider')
        draw_limb(canvas, knee, foot, 0.07, figure.trousers, 'rider')
    corners = [(side * 0.14, y, along) for side in (-1, 1) for y, along in ((1.0, -0.2), (1.42, 0.05))]
    canvas.hull(np.concatenate([disc(pose.world(corner), 0.13) for corner in corners]), figure.coat, 'rider')
    for side in (-1, 1):
        shoulder, hand = pose.world((side * 0.22, 1.4, 0.06)), pose.world((side * 0.28, 1.05, 0.36))
        draw_limb(canvas, shoulder, hand, 0.06, figure.coat, 'rider')
    hips, chest = pose.world((0, 1.0, -0.2)), pose.world((0, 1.45, 0.08))
    draw_head(canvas, float(chest[0]), 1.72, float(hips[2]) - 0.05, figure, 'rider')
