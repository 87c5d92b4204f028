"""Traffic lights."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import scaled
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..shapes import disc, draw_limb
from .pole import draw_pole

METAL = (105, 108, 104)
LAMPS = ((40, 40, 235), (30, 190, 250), (110, 220, 60))  # red, amber, green, from the top


def add_traffic_light(scene: SceneBuilder, pose: Pose, side: int) -> None:
    """Add a traffic light on a side of the street, with a random lamp lit."""
    scene.add_shadowed(pose, (0.2, 0.2, 3.4), draw_traffic_light, side, int(scene.rng.integers(3)), scene.rng)


def draw_traffic_light(canvas: Canvas, pose: Pose, side: int, lit: int, rng: Generator) -> None:
    """Draw a traffic light on its pole, sometimes with a second one over the road; ``lit`` counts from the top."""
    over_road = rng.random() < 0.5
    draw_pole(canvas, pose, 5.6 if over_road else 3.0, 0.08, METAL)
    heads = [(pose.x, 2.9)]
    if over_road:
        reach = pose.x - side * rng.uniform(2.5, 4.0)
        draw_limb(canvas, (pose.x, 5.5, pose.z), (reach, 5.6, pose.z), 0.06, METAL, 'pole')
        heads.append((reach, 5.3))
    for x, y in heads:
        housing = np.array(((-0.2, -0.55, 0), (0.2, -0.55, 0), (0.2, 0.55, 0), (-0.2, 0.55, 0)))
        canvas.fill(housing + (x, y, pose.z - 0.1), (42, 46, 40), 'traffic light')
        for k, colour in enumerate(LAMPS):
            shown = colour if k == lit else scaled(colour, 0.25)
            canvas.fill(disc((x, y + 0.34 - 0.34 * k, pose.z - 0.12), 0.13), shown)
