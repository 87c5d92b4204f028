"""Smooth random noise, the base of clouds, worn asphalt and surface texture."""

import cv2
import numpy as np
from numpy.random import Generator


def smooth_noise(rng: Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Return value noise (height, width) float32 in [-1, 1) with ``cells`` grid cells from top to bottom."""
    grid = rng.integers(0, 256, (cells, 2 * cells), np.uint8)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR_EXACT).astype(np.float32) / 128 - 1
