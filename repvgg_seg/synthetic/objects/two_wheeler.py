"""What bicycles and motorcycles have in common: wheels, fork, handlebar and tubes."""

import numpy as np

from ..canvas import Canvas
from ..colours import TYRE, Colour
from ..pose import Pose
from ..shapes import disc, draw_limb


def draw_wheel_pair(canvas: Canvas, pose: Pose, radius: float, half_width: float, base: float, name: str) -> None:
    """Draw both wheels, ``base`` metres before and behind the middle, as solid discs, as Cityscapes labels them."""
    cos, sin = pose.axes
    for along in (-base, base):
        sides = [disc(pose.world((side * half_width, radius, along)), radius, (sin, cos)) for side in (-1, 1)]
        canvas.hull(np.concatenate(sides), TYRE, name)
        canvas.fill(disc(pose.world((0, radius, along)), radius * 0.72, (sin, cos)), (125, 128, 130))


def draw_tube(
    canvas: Canvas,
    pose: Pose,
    start: tuple[float, float],
    end: tuple[float, float],
    radius: float,
    colour: Colour,
    name: str,
) -> None:
    """Draw a tube in the middle plane, from one point (up, along the heading) to another, in metres."""
    draw_limb(canvas, pose.world((0, *start)), pose.world((0, *end)), radius, colour, name)


def draw_handlebar(canvas: Canvas, pose: Pose, base: float, name: str) -> None:
    """Draw the handlebar above the front wheel, whose axle is ``base`` metres before the middle."""
    left, right = (pose.world((side * 0.3, 1.04, base * 0.7)) for side in (-1, 1))
    draw_limb(canvas, left, right, 0.045, (40, 40, 40), name)
