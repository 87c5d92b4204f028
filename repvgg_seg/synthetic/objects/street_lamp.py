"""Street lamps."""

from ..canvas import Canvas
from ..colours import Colour
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..shapes import draw_limb
from .pole import draw_pole


def add_street_lamp(scene: SceneBuilder, pose: Pose, side: int, metal: Colour) -> None:
    """Add a street lamp on a side of the street."""
    scene.add_shadowed(pose, (0.2, 0.2, 7.5), draw_street_lamp, side, metal)


def draw_street_lamp(canvas: Canvas, pose: Pose, side: int, colour: Colour) -> None:
    """Draw a street lamp whose arm reaches over the road; Cityscapes labels all of it as pole."""
    draw_pole(canvas, pose, 7.5, 0.1, colour)
    end = (pose.x - side * 1.8, 7.9, pose.z)
    draw_limb(canvas, (pose.x, 7.4, pose.z), end, 0.06, colour, 'pole')
    draw_limb(canvas, end, (end[0] - side * 0.5, 7.85, pose.z), 0.12, (150, 160, 165), 'pole')
