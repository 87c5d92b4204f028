"""The wheels of cars, trucks and buses."""

import math
from collections.abc import Iterable

from ..canvas import Canvas
from ..colours import TYRE
from ..pose import Pose
from ..shapes import disc


def draw_wheels(canvas: Canvas, pose: Pose, half: float, radius: float, places: Iterable[float], name: str) -> None:
    """Draw the wheels of the side that the camera sees.

    Args:
        canvas: canvas to draw on.
        pose: place and heading of the vehicle.
        half: half of the vehicle's width in metres.
        radius: radius of the wheels in metres.
        places: positions of the wheels in metres along the heading.
        name: class of the pixels.
    """
    seen_across, _ = pose.camera_position()
    if abs(seen_across) < half:
        return
    cos, sin = pose.axes
    across = math.copysign(half, seen_across)
    for along in places:
        centre = pose.world((across, radius, along))
        canvas.fill(disc(centre, radius, (sin, cos)), TYRE, name)
        canvas.fill(disc(centre, radius * 0.55, (sin, cos)), (120, 120, 120))
