"""The camera that looks along the street."""

from dataclasses import dataclass

from numpy.random import Generator


@dataclass(frozen=True)
class Camera:
    """Pinhole camera that looks straight ahead.

    Args:
        focal: focal length, in widths of the image.
        horizon: distance of the horizon from the upper edge, in heights of the image.
        height: height above the ground, in metres.
    """

    focal: float
    horizon: float
    height: float


def sample_camera(rng: Generator) -> Camera:
    """Draw a camera as it is mounted in a car."""
    return Camera(rng.uniform(0.7, 0.95), rng.uniform(0.4, 0.5), rng.uniform(1.2, 1.65))
