"""Litter bins."""

from ..box import BoxSize, Lean, draw_box
from ..canvas import Canvas
from ..colours import PAINTS, Colour, pick, tint
from ..pose import Pose
from ..scene_builder import SceneBuilder


def add_litter_bin(scene: SceneBuilder, pose: Pose) -> None:
    """Add a litter bin of random colour."""
    scene.add_shadowed(pose, (0.6, 0.6, 1.0), draw_litter_bin, tint(scene.rng, pick(scene.rng, PAINTS)))


def draw_litter_bin(canvas: Canvas, pose: Pose, colour: Colour) -> None:
    """Draw a litter bin that widens towards the top; Cityscapes leaves bins unlabelled, so its pixels are ignored."""
    draw_box(canvas, pose, BoxSize(0.3, 0.0, 1.05, -0.3, 0.3), colour, 'unlabeled', Lean(-0.05, -0.05, -0.05))
