"""Trams, which Cityscapes labels as train."""

from ..canvas import Canvas
from ..colours import PAINTS, Colour, pick, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from .coach_body import HALF_WIDTH, draw_coach_body

CAR_LENGTH, GAP, HEIGHT = 10.5, 0.3, 3.4  # metres; the gap between cars is part of their length


def add_tram(scene: SceneBuilder, pose: Pose, cars: int) -> None:
    """Add a tram of several cars and of random colour; the pose is that of its middle."""
    colour = tint(scene.rng, pick(scene.rng, PAINTS), 20)
    scene.add_shadowed(pose, (2 * HALF_WIDTH, CAR_LENGTH * cars, HEIGHT), draw_tram, colour, cars)


def draw_tram(canvas: Canvas, pose: Pose, colour: Colour, cars: int) -> None:
    """Draw the cars of a tram in one line, the farthest first."""
    middles = [pose.world((0, 0, (k - (cars - 1) / 2) * CAR_LENGTH)) for k in range(cars)]
    for x, _, z in sorted(middles, key=lambda middle: -float(middle[2])):
        car = Pose(float(x), float(z), pose.heading)
        draw_coach_body(canvas, car, colour, 'train', CAR_LENGTH - GAP, HEIGHT, windows=6)
