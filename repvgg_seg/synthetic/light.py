"""The weather and the time of day: sun, sky, haze, and the shades and shadows that follow from them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from .colours import Colour, pick, tint

ROUND_FACING = 0.6  # share of the sun that a round object without a normal receives
LONGEST_SHADOW = 25.0  # metres


@dataclass(frozen=True)
class Light:
    """Light of a scene.

    Args:
        sun: unit vector towards the sun, (right, up, ahead).
        ambient: strength of the light from the sky.
        direct: strength of the light from the sun, on a surface that faces it.
        zenith: colour of the sky overhead.
        haze: colour of the sky at the horizon and of distant objects.
        haze_distance: distance in metres at which haze covers half of an object's colour.
        clouds: added to the cloud noise in [-1, 1); a higher value gives more clouds.
    """

    sun: tuple[float, float, float]
    ambient: float
    direct: float
    zenith: Colour
    haze: Colour
    haze_distance: float
    clouds: float

    def shade(self, colour: Colour, depth: float, normal: tuple[float, float, float] | None = None) -> Colour:
        """Return the colour of a surface as the camera sees it from ``depth`` metres; a round object has no normal."""
        facing = ROUND_FACING if normal is None else max(0.0, sum(n * s for n, s in zip(normal, self.sun, strict=True)))
        strength = self.ambient + self.direct * facing
        veil = depth / (depth + self.haze_distance)
        return tuple(min(255.0, c * strength) * (1 - veil) + h * veil for c, h in zip(colour, self.haze, strict=True))

    def shadow_of(self, footprint: np.ndarray, height: float) -> np.ndarray:
        """Return ground points (2 * N, 2) of (x, z) whose hull is the shadow of an upright object.

        Args:
            footprint: corners (N, 2) of (x, z) on which the object stands.
            height: height of the object in metres.
        """
        reach = min(height / self.sun[1], LONGEST_SHADOW)
        shift = np.array((-self.sun[0] * reach, -self.sun[2] * reach))
        return np.concatenate((footprint, footprint + shift))


def sample_light(rng: Generator) -> Light:
    """Draw the weather and time of day: clear, hazy, overcast or evening with a low, warm sun."""
    weather = pick(rng, ('clear', 'clear', 'hazy', 'overcast', 'evening'))
    azimuth = rng.uniform(-math.pi, math.pi)
    elevation = math.radians(rng.uniform(12, 22) if weather == 'evening' else rng.uniform(28, 60))
    level = math.cos(elevation)
    sun = (level * math.sin(azimuth), math.sin(elevation), level * math.cos(azimuth))
    ambient, direct, zenith, haze, distance, clouds = {
        'clear': (0.6, 0.62, (205, 150, 90), (225, 208, 190), 420, -0.1),
        'hazy': (0.68, 0.38, (210, 190, 165), (215, 212, 206), 150, 0.15),
        'overcast': (0.88, 0.08, (190, 186, 182), (208, 206, 204), 230, 0.5),
        'evening': (0.62, 0.6, (180, 140, 105), (160, 195, 235), 260, 0.1),
    }[weather]
    return Light(sun, ambient, direct, tint(rng, zenith), tint(rng, haze, 8), distance, clouds)
