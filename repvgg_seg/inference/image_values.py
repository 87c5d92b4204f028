"""Images in memory as the network reads them from files: arrays, PIL images and tensors become BGR arrays of 8 bits."""

import reprlib
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ..errors import InputError

ChannelOrder = Literal['bgr', 'rgb']
_ARRAYS = 'give (H, W, 3), (H, W, 4) or (H, W), as OpenCV reads images'
_TENSORS = 'give (3, H, W), (4, H, W), (1, H, W) or (H, W), as torchvision reads images'


def is_batch(image: Any) -> bool:
    """Whether a value is an array or a tensor that holds several images, (N, H, W, C) or (N, C, H, W)."""
    return isinstance(image, (np.ndarray, Tensor)) and image.ndim == 4


def is_animated(path: str) -> bool:
    """Whether an image file holds several pictures, of which OpenCV reads the first."""
    if not path.lower().endswith(('.gif', '.webp', '.png', '.avif')):
        return False
    try:
        with Image.open(path) as image:
            return bool(getattr(image, 'is_animated', False))
    except Exception:  # Pillow raises many types; what OpenCV has read is predicted
        return False


def image_values(image: Any, channel_order: ChannelOrder | None = None, channels: int = 3) -> np.ndarray:
    """An image in memory as the network reads it from a file.

    Args:
        image: an array (H, W, C) or (H, W), a tensor (C, H, W) or (H, W), or a PIL image, which is turned by its EXIF
            orientation. Whole numbers go from 0 to 255, those of 16 bits to 65535. Floats go from 0 to 1, or, where one is
            larger, to 255. A fourth channel is opacity, which is dropped.
        channel_order: of arrays and tensors, 'bgr' or 'rgb'; None for BGR in arrays, as OpenCV has it, and RGB in tensors, as
            torchvision has it.
        channels: that the network takes. Images of other than three stay as they are.

    Returns:
        (H, W, 3), uint8, BGR; or (H, W, channels).

    Raises:
        InputError: it is no image of these.
    """
    if channel_order not in (None, 'bgr', 'rgb'):
        raise InputError(f"channel_order must be 'bgr' or 'rgb', got {channel_order!r}")
    if isinstance(image, Image.Image):
        array, order = _of_pil(image), 'rgb'
    elif isinstance(image, Tensor):
        array, order = _of_tensor(image), channel_order or 'rgb'
    elif isinstance(image, np.ndarray):
        array, order = image, channel_order or 'bgr'
    else:
        raise InputError(
            f'an image is a path, an array, a PIL image or a tensor, got {reprlib.repr(image)} ({type(image).__name__})'
        )
    said = _TENSORS if isinstance(image, Tensor) else _ARRAYS
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(f'an image of the shape {tuple(image.shape)} cannot be predicted: {said}')
    if channels != 3:
        if array.shape[2] != channels:
            raise InputError(f'the image has {array.shape[2]} channels, the network takes {channels}')
        return np.ascontiguousarray(array)
    if array.shape[2] not in (1, 3, 4):
        raise InputError(f'an image of the shape {tuple(image.shape)} cannot be predicted: {said}')
    values = _eight_bits(array)
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    return np.ascontiguousarray(values[..., :3] if order == 'bgr' else values[..., 2::-1])


def drawable(image: np.ndarray) -> np.ndarray:
    """What a picture is drawn on, (H, W, 3) uint8, BGR, for an image of any type and number of channels."""
    image = image if image.ndim == 3 else image[..., None]
    image = image[..., :3] if image.shape[2] >= 3 else np.repeat(image[..., :1], 3, axis=2)
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    if image.dtype == np.uint16:
        return (image >> 8).astype(np.uint8)
    values = np.nan_to_num(image.astype(np.float32))
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 255:  # of a kind that no screen shows as it is
        values = (values - low) * (255 / max(high - low, 1e-6))
    return values.astype(np.uint8)


def _of_pil(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith('I') or image.mode == 'F':
        values = np.asarray(image)
        return values if image.mode != 'I' else values.clip(0, 65535).astype(np.uint16)  # as Pillow opens 16 bits
    return np.asarray(image.convert('RGB'))


def _of_tensor(image: Tensor) -> np.ndarray:
    if image.layout != torch.strided or image.is_meta:
        raise InputError('a tensor that is sparse or has no values cannot be predicted: give a dense one')
    values = image.detach().cpu()
    values = values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
    if values.ndim == 3 and values.shape[0] not in (1, 3, 4) and values.shape[2] in (1, 3, 4):
        raise InputError(f'a tensor of the shape {tuple(image.shape)} is (H, W, C): {_TENSORS}, with permute(2, 0, 1)')
    return (values.permute(1, 2, 0) if values.ndim == 3 else values).numpy()


def _eight_bits(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return (values >> 8).astype(np.uint8)
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * 255
    if values.dtype.kind not in 'iuf':
        raise InputError(f'an image of {values.dtype} cannot be predicted: give uint8, or floats from 0 to 1')
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # also where it is NaN
        raise InputError(
            f'an image of {values.dtype} with values from {low} to {high} cannot be predicted: whole numbers go from 0 to 255, '
            'floats from 0 to 1 or to 255'
        )
    scaled = values * 255 if values.dtype.kind == 'f' and high <= 1 else values
    return np.rint(scaled).astype(np.uint8)
