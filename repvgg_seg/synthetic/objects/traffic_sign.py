"""Traffic signs: discs, triangles and boards."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import SIGN_FACES, Colour, pick, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..shapes import disc
from .pole import draw_pole

WHITE = (235, 235, 235)


def add_traffic_sign(scene: SceneBuilder, pose: Pose) -> None:
    """Add a traffic sign of random shape and colour."""
    rng = scene.rng
    shape = pick(rng, ('disc', 'triangle', 'board', 'board'))
    colour = tint(rng, pick(rng, SIGN_FACES))
    scene.add_shadowed(pose, (0.2, 0.2, 2.8), draw_traffic_sign, shape, colour, rng)


def draw_traffic_sign(canvas: Canvas, pose: Pose, shape: str, colour: Colour, rng: Generator) -> None:
    """Draw a traffic sign on its pole; ``shape`` is 'disc', 'triangle' or 'board'."""
    height = rng.uniform(2.3, 2.9)
    draw_pole(canvas, pose, height, 0.045, (140, 142, 140))
    centre = (pose.x, height, pose.z - 0.05)
    if shape == 'board':
        half, tall = rng.uniform(0.35, 0.75), rng.uniform(0.25, 0.45)
        outline = np.array(((-half, -tall, 0), (half, -tall, 0), (half, tall, 0), (-half, tall, 0))) + centre
    elif shape == 'triangle':
        outline = np.array(((-0.45, -0.32, 0), (0.45, -0.32, 0), (0, 0.46, 0))) + centre
    else:
        outline = disc(centre, 0.42)
    rim, face, symbol = (WHITE, colour, WHITE) if shape == 'board' else (colour, (232, 232, 230), (40, 40, 40))
    canvas.fill(outline, rim, 'traffic sign')
    canvas.fill((outline - centre) * 0.78 + centre, face)
    canvas.fill((outline - centre) * (0.4, 0.15, 0) + centre, symbol)
