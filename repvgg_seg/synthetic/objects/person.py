"""Pedestrians, and the looks of people in general."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import CLOTHES, HAIRS, SKINS, TROUSERS, Colour, pick, scaled, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..shapes import disc, draw_limb


@dataclass(frozen=True)
class Figure:
    """Looks of a person: height in metres, and colours."""

    height: float
    coat: Colour
    trousers: Colour
    skin: Colour
    hair: Colour


def sample_figure(rng: Generator) -> Figure:
    """Draw the looks of a person."""
    coat, trousers = tint(rng, pick(rng, CLOTHES)), tint(rng, pick(rng, TROUSERS))
    hair = tint(rng, pick(rng, HAIRS), 10)
    return Figure(rng.uniform(1.5, 1.92), coat, trousers, pick(rng, SKINS), hair)


def add_person(scene: SceneBuilder, pose: Pose, strides: tuple[float, float]) -> None:
    """Add a pedestrian of random looks, with a random stride between two limits (see `draw_person`)."""
    figure = sample_figure(scene.rng)
    scene.add_shadowed(pose, (0.44, 0.3, 1.7), draw_person, figure, scene.rng.uniform(*strides))


def draw_person(canvas: Canvas, pose: Pose, figure: Figure, stride: float) -> None:
    """Draw a pedestrian; ``stride`` tells how far legs and arms are apart, from 0 to 1."""
    k = figure.height / 1.75
    x, z = pose.x, pose.z
    for side in (-1, 1):
        foot = x + side * (0.09 + 0.22 * stride) * k
        draw_limb(canvas, (foot, 0.06, z), (x + side * 0.09 * k, 0.85 * k, z), 0.085 * k, figure.trousers, 'person')
    for side in (-1, 1):
        hand = (x + side * (0.27 + 0.18 * stride) * k, 0.85 * k, z)
        shoulder = (x + side * 0.2 * k, 1.38 * k, z)
        draw_limb(canvas, hand, shoulder, 0.06 * k, scaled(figure.coat, 0.85), 'person')
    corners = ((-1, 0.85), (1, 0.85), (-1, 1.38), (1, 1.38))
    trunk = [disc((x + side * 0.12 * k, y * k, z), 0.1 * k) for side, y in corners]
    canvas.hull(np.concatenate(trunk), figure.coat, 'person')
    draw_head(canvas, x, figure.height - 0.12, z, figure, 'person')


def draw_head(canvas: Canvas, x: float, y: float, z: float, figure: Figure, name: str) -> None:
    """Draw hair and face around a world point, as pixels of class ``name``."""
    canvas.fill(disc((x, y, z), 0.125), figure.hair, name)
    canvas.fill(disc((x + 0.015, y - 0.03, z - 0.02), 0.1), figure.skin, name)
