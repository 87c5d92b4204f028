"""Bare poles, and those of lamps, signs and traffic lights."""

from ..canvas import Canvas
from ..colours import Colour
from ..pose import Pose
from ..scene_builder import SceneBuilder


def add_pole(scene: SceneBuilder, pose: Pose, metal: Colour) -> None:
    """Add a bare pole of random height."""
    scene.add_shadowed(pose, (0.2, 0.2, 5.0), draw_pole, scene.rng.uniform(3, 7), 0.07, metal)


def draw_pole(canvas: Canvas, pose: Pose, height: float, radius: float, colour: Colour) -> None:
    """Draw an upright pole with the given radius at its foot; lengths are in metres."""
    x, z, upper = pose.x, pose.z, radius * 0.7
    outline = ((x - radius, 0, z), (x + radius, 0, z), (x + upper, height, z), (x - upper, height, z))
    canvas.fill(outline, colour, 'pole')
