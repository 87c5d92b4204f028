"""What an engine makes of a file: a function from images to logits."""

from collections.abc import Callable, Mapping

import numpy as np

# (N, C, H, W) float32 -> (N, classes, h, w) float32
Run = Callable[[np.ndarray], np.ndarray]
# Options of an engine that make no difference but in speed, by name.
Settings = Mapping[str, bool]
