"""The sky with its clouds."""

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..noise import smooth_noise


def draw_sky(canvas: Canvas, rng: Generator) -> None:
    """Draw a gradient from zenith to haze, with clouds that flatten towards the horizon."""
    height, width = canvas.label.shape
    rows = int(canvas.horizon) + 1
    light = canvas.light
    down = (np.arange(rows, dtype=np.float32) / rows)[:, None, None]
    zenith, haze = np.array(light.zenith, np.float32), np.array(light.haze, np.float32)
    sky = zenith + (haze - zenith) * down * (2 - down)
    puffs = sum(smooth_noise(rng, height, width, cells)[:rows] / weight for cells, weight in ((4, 1), (9, 2), (20, 4)))
    cover = np.clip(puffs * 0.9 + light.clouds, 0, 1)[..., None] * np.float32(0.75) * (1 - down * down)
    canvas.image[:rows] = np.clip(sky + (np.float32(238) - sky) * cover, 0, 255)
