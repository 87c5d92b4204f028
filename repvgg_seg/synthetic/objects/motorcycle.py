"""Motorcycles."""

from ..canvas import Canvas
from ..colours import CHROME, PAINTS, Colour, pick
from ..pose import Pose
from ..scene_builder import SceneBuilder
from .two_wheeler import draw_handlebar, draw_tube, draw_wheel_pair

RADIUS, BASE = 0.32, 0.68  # metres: of the wheels, and from the middle to their axles
ENGINE_COLOUR, SEAT_COLOUR = (60, 60, 62), (30, 30, 30)


def add_parked_motorcycle(scene: SceneBuilder, pose: Pose) -> None:
    """Add a motorcycle of random colour that nobody rides."""
    scene.add_shadowed(pose, (0.4, 2.0, 1.0), draw_motorcycle, pick(scene.rng, PAINTS))


def draw_motorcycle(canvas: Canvas, pose: Pose, colour: Colour) -> None:
    """Draw a motorcycle: wheels, engine, seat, tank, fork and handlebar."""
    draw_wheel_pair(canvas, pose, RADIUS, 0.09, BASE, 'motorcycle')
    draw_tube(canvas, pose, (0.5, -0.35), (0.45, 0.3), 0.2, ENGINE_COLOUR, 'motorcycle')
    draw_tube(canvas, pose, (0.82, -0.7), (0.78, 0.0), 0.1, SEAT_COLOUR, 'motorcycle')
    draw_tube(canvas, pose, (0.85, 0.0), (0.8, 0.4), 0.16, colour, 'motorcycle')
    draw_tube(canvas, pose, (RADIUS, BASE), (1.0, BASE * 0.75), 0.05, CHROME, 'motorcycle')
    draw_handlebar(canvas, pose, BASE, 'motorcycle')
