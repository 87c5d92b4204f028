"""Collects the objects of a scene and their shadows, so that they can be drawn from far to near."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .canvas import Canvas
from .light import Light
from .pose import Pose
from .street import Street

P = ParamSpec('P')


class SceneBuilder:
    """A scene to which objects are added.

    Args:
        rng: the one source of random numbers of the scene. Objects draw from it when they are added and again when they
            are drawn, so the order of all calls determines the pixels.
        light: weather and time of day.
        street: plan of the street.
    """

    def __init__(self, rng: Generator, light: Light, street: Street) -> None:
        self.rng, self.light, self.street = rng, light, street
        self.shadows: list[np.ndarray] = []
        self._objects: list[tuple[float, Callable[[Canvas], None]]] = []

    def add(
        self, depth: float, draw: Callable[Concatenate[Canvas, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Add an object at ``depth`` metres, which is drawn by ``draw(canvas, *args, **kwargs)``."""
        self._objects.append((depth, lambda canvas: draw(canvas, *args, **kwargs)))

    def add_shadowed(
        self,
        pose: Pose,
        size: tuple[float, float, float],
        draw: Callable[Concatenate[Canvas, Pose, P], None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Add an object that casts a shadow.

        Args:
            pose: place and heading of the object.
            size: its width, length and height in metres, for the shadow.
            draw: called as ``draw(canvas, pose, *args, **kwargs)``.
        """
        width, length, height = size
        corners = [(across, 0.0, along) for across in (-width / 2, width / 2) for along in (-length / 2, length / 2)]
        footprint = pose.world(corners)[:, (0, 2)]
        self.add_shadow(footprint, height)
        depth = float(footprint[:, 1].min())
        self._objects.append((depth, lambda canvas: draw(canvas, pose, *args, **kwargs)))

    def add_shadow(self, footprint: ArrayLike, height: float) -> None:
        """Add the shadow of an object ``height`` metres tall that stands on ground corners (N, 2) of (x, z)."""
        self.shadows.append(self.light.shadow_of(np.asarray(footprint), height))

    def draw_objects(self, canvas: Canvas) -> None:
        """Draw all objects, the farthest first."""
        for _, draw in sorted(self._objects, key=lambda item: -item[0]):
            draw(canvas)
