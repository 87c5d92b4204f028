"""What the camera adds to the drawn image: surface texture, exposure, vignette, slight blur and sensor noise."""

import numpy as np
from numpy.random import Generator

from .canvas import Canvas
from .labels import LABEL_ID
from .noise import smooth_noise

# Strength of the fine texture of each class, in grey levels; 5 where nothing is said.
_TEXTURE = np.full(256, 5, np.float32)
for _name, _strength in {
    'vegetation': 26,
    'terrain': 15,
    'building': 8,
    'wall': 11,
    'sky': 0,
    'person': 9,
}.items():
    _TEXTURE[LABEL_ID[_name]] = _strength


def apply_camera_effects(canvas: Canvas, rng: Generator) -> np.ndarray:
    """Return the image (height, width, 3) uint8 of a finished canvas as a camera would record it."""
    image = _textured(canvas, rng)
    _expose(image, rng)
    _blur(image, rng)
    _add_noise(image, rng)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _textured(canvas: Canvas, rng: Generator) -> np.ndarray:
    height, width = canvas.label.shape
    fine = smooth_noise(rng, height, width, 128) + smooth_noise(rng, height, width, 40)
    return canvas.image + (_TEXTURE[canvas.label] * fine)[..., None]


def _expose(image: np.ndarray, rng: Generator) -> None:
    """Change the exposure and the colour balance, and darken the corners."""
    height, width = image.shape[:2]
    gain = np.array([rng.uniform(0.92, 1.08) for _ in range(3)], np.float32) * np.float32(rng.uniform(0.88, 1.2))
    rows = (np.arange(height, dtype=np.float32) / height - np.float32(0.5))[:, None]
    columns = np.arange(width, dtype=np.float32) / width - np.float32(0.5)
    vignette = 1 - np.float32(rng.uniform(0, 0.45)) * (rows * rows + columns * columns)
    image *= vignette[..., None] * gain


def _blur(image: np.ndarray, rng: Generator) -> None:
    softness = np.float32(rng.uniform(0.05, 0.22))
    image[1:-1] += softness * (image[2:] + image[:-2] - 2 * image[1:-1])
    image[:, 1:-1] += softness * (image[:, 2:] + image[:, :-2] - 2 * image[:, 1:-1])


def _add_noise(image: np.ndarray, rng: Generator) -> None:
    deviation = rng.uniform(1.0, 5.0)  # grey levels
    noise = rng.integers(-64, 65, (2, *image.shape), np.int8)
    # The sum of two uniform variables from -64 to 64 has a triangular distribution of deviation 52 or so.
    image += (noise[0].astype(np.float32) + noise[1]) * np.float32(deviation / 52)
