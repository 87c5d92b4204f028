"""Reading one image file."""

import io
import math
import os
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from .image_size_limit import fault_of_header, fault_of_pixels


def read_image(path: str | os.PathLike[str], channels: int = 3) -> np.ndarray:
    """An image, (H, W, channels); three channels are BGR, uint8.

    Its bytes are read here, since OpenCV finds no file on Windows whose path has letters beyond ASCII.

    Args:
        path: of a picture, or of an array (H, W, channels) in a .npy file.
        channels: how many the image must have; a picture in colours is read as grey for one.

    Raises:
        InputError: there is no such file, or it is no image, or one of other channels, or too large.
    """
    if fault := fault_of_header(path):
        raise InputError(fault)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror}; name an image file') from None
    is_array = Path(path).suffix == '.npy'
    if is_array and (fault := fault_of_pixels(path, _pixels_of_array(content))):
        raise InputError(fault)
    image = _decoded(content, channels, is_array) if content else None
    if image is None or image.ndim < 2:
        raise InputError(f'{path} is not an image that OpenCV can decode, or damaged: name another one')
    image = image.reshape(*image.shape[:2], -1)
    if image.shape[2] != channels:
        raise InputError(f'{path} has {image.shape[2]} channels, the network takes {channels}: name another image')
    return image


def _decoded(content: bytes, channels: int, is_array: bool) -> np.ndarray | None:
    if is_array:
        try:
            return np.load(io.BytesIO(content))
        except Exception:  # a damaged header, which NumPy evaluates as text, raises many types
            return None
    flag = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR}.get(channels, cv2.IMREAD_UNCHANGED)
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flag)
    except cv2.error:  # of some damaged headers; most give None
        return None


def _pixels_of_array(content: bytes) -> int:
    """The height times the width that the header of a .npy file claims; 0 where it is damaged."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return math.prod(read(file)[0][:2])
    except Exception:  # as above
        return 0
