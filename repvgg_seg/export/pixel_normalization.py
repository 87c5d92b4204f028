"""What a data preprocessor does to the values of a pixel, as one matrix and one vector, so that a network can hold it."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..errors import InputError
from ..measure.difference import relative_error

_WHITE = 255.0
_SAME = 1e-5  # relative error; rounding gives 1e-7


def pixel_normalization(preprocessor: Callable[..., Any], channels: int) -> tuple[Tensor, Tensor]:
    """The matrix (C_out, channels) and the vector (C_out,) by which a data preprocessor makes `matrix @ pixel + vector` of a pixel.

    They are found from the outside, from what comes out for black and for pure colours, so that mean, deviation and order of
    channels of any class are in them.

    Args:
        preprocessor: as mmseg's `SegDataPreProcessor`, in eval mode.
        channels: of the images.

    Raises:
        InputError: it does something else to a pixel, or looks at its neighbours.
    """
    black, colours = torch.zeros(1, channels), _WHITE * torch.eye(channels)
    others = torch.randint(256, (4, channels), generator=torch.Generator().manual_seed(0)).float()
    pixels = torch.cat([black, colours, others])
    images = [pixel[:, None, None].expand(channels, 2, 2).contiguous() for pixel in pixels]
    found = preprocessed(preprocessor, images)[..., 0, 0].cpu()
    vector = found[0]
    matrix = (found[1 : 1 + channels] - vector).t() / _WHITE
    if not relative_error(others @ matrix.t() + vector, found[1 + channels :]) <= _SAME:
        raise InputError(
            f'a {type(preprocessor).__name__} does more than to scale and to order the channels, which no file can hold: export '
            'without normalisation (--no-normalization)'
        )
    return matrix, vector


def preprocessed(preprocessor: Callable[..., Any], images: Sequence[Tensor]) -> Tensor:
    """What a data preprocessor makes of images (C, H, W) of one size in a test, (N, C_out, H, W)."""
    sizes = [tuple(image.shape[1:]) for image in images]
    samples = [SegDataSample(metainfo=dict(img_shape=size, ori_shape=size)) for size in sizes]
    return torch.stack(list(preprocessor(dict(inputs=list(images), data_samples=samples), False)['inputs']))


def pixels_again(inputs: Tensor, matrix: Tensor, vector: Tensor) -> Tensor:
    """Turn a normalisation back, (N, C_out, H, W) -> (N, channels, H, W)."""
    return F.conv2d(inputs - vector[:, None, None], torch.linalg.inv(matrix)[..., None, None])


def as_layer(matrix: Tensor, vector: Tensor) -> nn.Conv2d:
    """The 1x1 conv that multiplies every pixel by a matrix and adds a vector."""
    conv = nn.Conv2d(matrix.shape[1], matrix.shape[0], 1, device='meta')
    conv.weight = nn.Parameter(matrix[..., None, None].clone(), requires_grad=False)
    conv.bias = nn.Parameter(vector.clone(), requires_grad=False)
    return conv
