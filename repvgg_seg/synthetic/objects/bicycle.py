"""Bicycles."""

from ..canvas import Canvas
from ..colours import CLOTHES, Colour, pick, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from .two_wheeler import draw_handlebar, draw_tube, draw_wheel_pair

RADIUS, BASE = 0.34, 0.54  # metres: of the wheels, and from the middle to their axles
SADDLE_COLOUR = (35, 35, 40)


def add_parked_bicycle(scene: SceneBuilder, pose: Pose) -> None:
    """Add a bicycle of random colour that nobody rides."""
    scene.add_shadowed(pose, (0.2, 1.7, 0.9), draw_bicycle, tint(scene.rng, pick(scene.rng, CLOTHES)))


def draw_bicycle(canvas: Canvas, pose: Pose, colour: Colour) -> None:
    """Draw a bicycle."""

    def tube(
        start: tuple[float, float], end: tuple[float, float], radius: float = 0.03, paint: Colour = colour
    ) -> None:
        draw_tube(canvas, pose, start, end, radius, paint, 'bicycle')

    draw_wheel_pair(canvas, pose, RADIUS, 0.035, BASE, 'bicycle')
    tube((RADIUS, BASE), (1.0, BASE * 0.75))
    draw_handlebar(canvas, pose, BASE, 'bicycle')
    seat, crank = (0.85, -0.2), (0.3, 0)
    tube((RADIUS, -BASE), seat)
    tube(crank, seat)
    tube(crank, (0.85, BASE * 0.75))
    tube((0.82, -0.2), (0.82, BASE * 0.78))
    tube((0.92, -0.32), (0.92, -0.1), 0.05, SADDLE_COLOUR)
