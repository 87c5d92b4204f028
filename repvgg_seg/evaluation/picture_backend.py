"""Keeps the pictures that a visualizer draws under their own names."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.visualization import LocalVisBackend
from mmseg.registry import VISBACKENDS

from ..files import named_errors


@VISBACKENDS.register_module()
class PictureVisBackend(LocalVisBackend):
    """mmengine's `LocalVisBackend`, which writes each picture to `pictures/NAME.png`; NAME may hold folders.

    Args:
        save_dir: where the config and the scalars go.
        pictures: where the pictures go.
        kwargs: the other arguments of `LocalVisBackend`.
    """

    def __init__(self, save_dir: str, pictures: str, **kwargs: Any) -> None:
        super().__init__(save_dir, **kwargs)
        self.pictures = Path(pictures)

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Write an RGB picture (H, W, 3) uint8; `step` is not part of its name."""
        with named_errors(self.pictures / f'{name}.png') as path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode('.png', image[..., ::-1])[1].tobytes())
