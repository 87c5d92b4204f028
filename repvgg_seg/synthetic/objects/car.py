"""Cars."""

from typing import NamedTuple

from ..box import BoxSize, Lean, draw_box
from ..canvas import Canvas
from ..colours import GLASS, PAINTS, TAIL_LIGHT, TYRE, Colour, pick, scaled, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from .wheels import draw_wheels

HALF_WIDTH = 0.88  # metres
HEADLIGHT, NUMBER_PLATE = (235, 240, 240), (215, 220, 220)


class CarShape(NamedTuple):
    """Shape of a car in metres; the cabin is given at its foot, from the middle of the car along its heading."""

    length: float
    height: float
    cabin_rear: float
    cabin_front: float
    windscreen_lean: float


CAR_SHAPES = (
    CarShape(4.5, 1.45, -1.6, 1.15, 0.8),
    CarShape(3.9, 1.5, -1.85, 1.0, 0.7),
    CarShape(4.7, 1.48, -2.2, 1.1, 0.8),
    CarShape(4.5, 1.75, -2.1, 1.2, 0.6),
    CarShape(4.9, 2.0, -2.4, 1.7, 0.5),
)


def add_car(scene: SceneBuilder, pose: Pose) -> None:
    """Add a car of random shape and colour."""
    shape = pick(scene.rng, CAR_SHAPES)
    colour = tint(scene.rng, pick(scene.rng, PAINTS))
    scene.add_shadowed(pose, (1.8, shape.length, shape.height), draw_car, colour, shape)


def draw_car(canvas: Canvas, pose: Pose, colour: Colour, shape: CarShape) -> None:
    """Draw a car: the dark underside, the body with lights and doors, the wheels and the cabin."""
    end, waist = shape.length / 2, 0.6 * shape.height
    dark = scaled(colour, 0.45)
    draw_box(canvas, pose, BoxSize(HALF_WIDTH - 0.06, 0.03, 0.4, -end + 0.25, end - 0.25), TYRE, 'car')

    body = BoxSize(HALF_WIDTH, 0.22, waist + 0.05, -end, end)
    painted = {
        'rear': (
            ((0.02, 0.98, 0, 0.25), dark),
            ((0.02, 0.2, 0.55, 0.9), TAIL_LIGHT),
            ((0.8, 0.98, 0.55, 0.9), TAIL_LIGHT),
            ((0.36, 0.64, 0.35, 0.55), NUMBER_PLATE),
        ),
        'front': (
            ((0.15, 0.85, 0.05, 0.45), dark),
            ((0.03, 0.22, 0.55, 0.85), HEADLIGHT),
            ((0.78, 0.97, 0.55, 0.85), HEADLIGHT),
        ),
        'side': (((0, 1, 0, 0.12), dark), ((0.5, 0.505, 0.1, 1), dark), ((0.28, 0.285, 0.1, 1), dark)),
    }
    draw_box(canvas, pose, body, colour, 'car', Lean(0.05, 0.08, 0.12), painted)
    draw_wheels(canvas, pose, HALF_WIDTH, 0.32, (-end * 0.62, end * 0.64), 'car')

    cabin = BoxSize(HALF_WIDTH - 0.08, waist + 0.03, shape.height, shape.cabin_rear, shape.cabin_front)
    screen = (((0.06, 0.94, 0.1, 0.88), GLASS),)
    windows = (((0.05, 0.48, 0.12, 0.86), GLASS), ((0.52, 0.93, 0.12, 0.86), GLASS))
    glazed = {'rear': screen, 'front': screen, 'side': windows}
    draw_box(canvas, pose, cabin, colour, 'car', Lean(0.16, 0.3, shape.windscreen_lean), glazed)
