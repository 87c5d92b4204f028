"""Reading one image file."""

import os
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """An image as BGR, (H, W, 3) uint8.

    Its bytes are read here, since OpenCV finds no file on Windows whose path has letters beyond ASCII.

    Raises:
        InputError: there is no such file, or it is no image.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror}; name an image file') from None
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if image is None:
        raise InputError(f'{path} is not an image that OpenCV can decode, or damaged: name another one')
    return image
