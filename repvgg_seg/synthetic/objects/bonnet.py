"""The bonnet of the camera's own car, along the lower edge of the image."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import PAINTS, Colour, pick, scaled, tint
from ..labels import LABEL_ID
from ..shapes import ARCH


@dataclass(frozen=True)
class Bonnet:
    """Colour of a bonnet, and how high it reaches, in heights of the image."""

    colour: Colour
    rise: float


def sample_bonnet(rng: Generator) -> Bonnet | None:
    """Draw a bonnet; in most scenes the camera sees none."""
    rise = rng.uniform(0.04, 0.1) if rng.random() < 0.4 else 0.0
    colour = tint(rng, pick(rng, PAINTS))
    return Bonnet(colour, rise) if rise else None


def draw_bonnet(canvas: Canvas, bonnet: Bonnet) -> None:
    """Draw a bonnet with a brighter inner part; its class, 'ego vehicle', is ignored."""
    height, width = canvas.label.shape
    across = ARCH[:, 0] * 0.62 + 0.5
    for size, brightness in ((1.0, 0.7), (0.6, 1.0)):
        up = 1 - bonnet.rise * size * ARCH[:, 1]
        outline = np.rint(np.stack((across * width, up * height), -1)).astype(np.int32)
        cv2.fillConvexPoly(canvas.image, outline, scaled(bonnet.colour, brightness))
        cv2.fillConvexPoly(canvas.label, outline, (LABEL_ID['ego vehicle'],))
