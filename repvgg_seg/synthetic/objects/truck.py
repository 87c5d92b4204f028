"""Trucks."""

from ..box import BoxSize, Lean, draw_box
from ..canvas import Canvas
from ..colours import CHROME, GLASS, PAINTS, TAIL_LIGHT, Colour, pick, scaled, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from .wheels import draw_wheels


def add_truck(scene: SceneBuilder, pose: Pose, colour: Colour) -> None:
    """Add a truck of the given colour with a load body of random colour."""
    load = tint(scene.rng, pick(scene.rng, PAINTS), 20)
    scene.add_shadowed(pose, (2.44, 7.5, 3.4), draw_truck, colour, load)


def draw_truck(canvas: Canvas, pose: Pose, colour: Colour, load: Colour) -> None:
    """Draw a truck: the driver's cab of one colour in front of a box-shaped load body of another."""
    draw_box(canvas, pose, BoxSize(1.05, 0.05, 0.9, -3.6, 3.4), (40, 40, 42), 'truck')

    def draw_load_body() -> None:
        doors = (
            ((0.495, 0.505, 0.05, 0.95), scaled(load, 0.5)),
            ((0.02, 0.12, 0.0, 0.06), TAIL_LIGHT),
            ((0.88, 0.98, 0.0, 0.06), TAIL_LIGHT),
        )
        stripe = (((0.1, 0.7, 0.45, 0.7), colour),)
        size = BoxSize(1.22, 0.85, 3.4, -3.8, 1.7)
        draw_box(canvas, pose, size, load, 'truck', details={'rear': doors, 'side': stripe})

    def draw_cab() -> None:
        front = (
            ((0.08, 0.92, 0.5, 0.9), GLASS),
            ((0.05, 0.2, 0.08, 0.2), CHROME),
            ((0.8, 0.95, 0.08, 0.2), CHROME),
            ((0.25, 0.75, 0.12, 0.4), (50, 50, 50)),
        )
        window = (((0.3, 0.85, 0.5, 0.9), GLASS),)
        size = BoxSize(1.15, 0.5, 2.7, 1.8, 3.7)
        draw_box(canvas, pose, size, colour, 'truck', Lean(0.08, 0, 0.25), {'front': front, 'side': window})

    seen_from_the_front = pose.camera_position()[1] > 0
    for draw in (draw_load_body, draw_cab) if seen_from_the_front else (draw_cab, draw_load_body):
        draw()
    draw_wheels(canvas, pose, 1.2, 0.48, (-2.6, 2.5), 'truck')
