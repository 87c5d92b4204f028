"""Boxes that lean in towards the top: the bodies and cabins of vehicles."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from .canvas import Canvas
from .colours import Colour
from .pose import Pose
from .shapes import patches

Rectangle: TypeAlias = tuple[float, float, float, float]  # u0, u1, v0, v1 in shares of a face
Details: TypeAlias = Mapping[str, Sequence[tuple[Rectangle, Colour]]]
Normal: TypeAlias = tuple[float, float, float]


class BoxSize(NamedTuple):
    """Half width, lower and upper end above the ground, and rear and front end along its heading, in metres."""

    half: float
    bottom: float
    top: float
    rear: float
    front: float


class Lean(NamedTuple):
    """How far the sides, the rear and the front of a box lean in at the top, in metres."""

    sides: float = 0.0
    rear: float = 0.0
    front: float = 0.0


UPRIGHT = Lean()


def draw_box(
    canvas: Canvas,
    pose: Pose,
    size: BoxSize,
    colour: Colour,
    name: str,
    lean: Lean = UPRIGHT,
    details: Details | None = None,
) -> None:
    """Draw the faces of a box that the camera sees.

    Args:
        canvas: canvas to draw on.
        pose: place and heading of the box.
        size: size of the box.
        colour: colour of all faces.
        name: class of its pixels.
        lean: how far the faces lean in.
        details: rectangles and their colours that are painted on the faces 'rear', 'front', 'side' and 'top'; u counts
            from rear to front on a side, and from left to right elsewhere.
    """
    for face, panel, normal in _visible_faces(canvas, pose, size, lean):
        canvas.fill(panel, colour, name, normal)
        for rectangle, paint in (details or {}).get(face, ()):
            canvas.fill(patches(panel, rectangle)[0], paint, None, normal)


def _visible_faces(canvas: Canvas, pose: Pose, size: BoxSize, lean: Lean) -> Iterator[tuple[str, np.ndarray, Normal]]:
    """Yield name, corners (4, 3) and normal of each face that the camera sees."""
    half, bottom, top, rear, front = size
    upper_half, upper_rear, upper_front = half - lean.sides, rear + lean.rear, front - lean.front
    seen_across, seen_along = pose.camera_position()
    cos, sin = pose.axes

    def end(along: float, upper_along: float) -> np.ndarray:
        return pose.world(
            (
                (-half, bottom, along),
                (half, bottom, along),
                (upper_half, top, upper_along),
                (-upper_half, top, upper_along),
            )
        )

    if seen_along < rear:
        yield 'rear', end(rear, upper_rear), (-sin, 0.0, -cos)
    if seen_along > front:
        yield 'front', end(front, upper_front), (sin, 0.0, cos)
    for sign in (-1, 1):
        if sign * seen_across > half:
            lower, upper = sign * half, sign * upper_half
            corners = (
                (lower, bottom, rear),
                (lower, bottom, front),
                (upper, top, upper_front),
                (upper, top, upper_rear),
            )
            yield 'side', pose.world(corners), (sign * cos, 0.0, -sign * sin)
    if canvas.camera.height > top:
        corners = (
            (-upper_half, top, upper_rear),
            (upper_half, top, upper_rear),
            (upper_half, top, upper_front),
            (-upper_half, top, upper_front),
        )
        yield 'top', pose.world(corners), (0.0, 1.0, 0.0)
