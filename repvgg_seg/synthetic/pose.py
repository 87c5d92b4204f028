"""Where an object stands, and which way it faces."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Pose:
    """Place of an object on the ground, and its heading.

    Args:
        x: metres to the right of the camera.
        z: metres ahead of the camera.
        heading: direction in radians; 0 faces away from the camera, pi faces it.
    """

    x: float
    z: float
    heading: float = 0.0

    @cached_property
    def axes(self) -> tuple[float, float]:
        """Cosine and sine of the heading."""
        return math.cos(self.heading), math.sin(self.heading)

    def world(self, local: ArrayLike) -> np.ndarray:
        """Return the world points of local ones (..., 3): to the right of the object, up, and along its heading."""
        cos, sin = self.axes
        across, up, along = np.moveaxis(np.asarray(local, np.float64), -1, 0)
        return np.stack((self.x + across * cos + along * sin, up, self.z - across * sin + along * cos), -1)

    def camera_position(self) -> tuple[float, float]:
        """Return where the camera is in the axes of the object: to its right, and along its heading."""
        cos, sin = self.axes
        return -self.x * cos + self.z * sin, -self.x * sin - self.z * cos
