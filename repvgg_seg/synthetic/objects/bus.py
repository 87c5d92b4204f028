"""Buses."""

from ..canvas import Canvas
from ..colours import Colour
from ..pose import Pose
from ..scene_builder import SceneBuilder
from .coach_body import HALF_WIDTH, draw_coach_body
from .wheels import draw_wheels

LENGTH, HEIGHT = 11.0, 3.1  # metres


def add_bus(scene: SceneBuilder, pose: Pose, colour: Colour) -> None:
    """Add a bus."""
    scene.add_shadowed(pose, (2 * HALF_WIDTH, LENGTH, HEIGHT), draw_bus, colour)


def draw_bus(canvas: Canvas, pose: Pose, colour: Colour) -> None:
    """Draw a bus."""
    draw_coach_body(canvas, pose, colour, 'bus', LENGTH, HEIGHT, windows=8)
    draw_wheels(canvas, pose, HALF_WIDTH, 0.48, (-LENGTH / 2 * 0.55, LENGTH / 2 * 0.6), 'bus')
