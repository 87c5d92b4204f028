"""Matrices that act along one axis of a feature map.

The length of the axis may be left open while a network is exported: the matrices are then computed within its graph. The
cells of all levels of a pyramid are computed at once, which keeps that graph small.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..optimize.phase_images import starts


def cells_of(bins: Iterable[int]) -> tuple[Tensor, Tensor]:
    """The cells of all levels one after the other: the place of each on its level, and the number of cells there."""
    pairs = [(cell, number) for number in bins for cell in range(number)]
    cells, numbers = torch.tensor(pairs).t().contiguous()
    return cells, numbers


def averages(cells: Tensor, numbers: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """Adaptive average pooling, (cells, length): cell i of b covers the pixels from floor(i n / b) to ceil((i + 1) n / b)."""
    pixel = torch.arange(length)
    first = torch.div(cells * length, numbers, rounding_mode='floor')
    end = torch.div((cells + 1) * length + (numbers - 1), numbers, rounding_mode='floor')
    inside = (pixel >= first[:, None]) & (pixel < end[:, None])
    return inside.to(dtype) / (end - first)[:, None].to(dtype)


def up_sampling(cells: Tensor, numbers: Tensor, length: int, align_corners: bool, dtype: torch.dtype) -> Tensor:
    """Linear up-sampling as the three taps of a conv with zero padding see it, (length, 3 * cells), tap by tap."""
    pixel = torch.arange(length)[:, None]
    taps = []
    for shift in (-1, 0, 1):
        seen = pixel + shift
        if align_corners:
            last = pixel[-1:].clamp(min=1).to(dtype)  # of one pixel alone, nothing is divided by 0
            position = seen.to(dtype) * (numbers - 1) / last
        else:
            position = ((seen.to(dtype) + 0.5) * numbers / length - 0.5).clamp(min=0)
            position = torch.minimum(position, (numbers - 1).to(dtype))
        weight = (1 - (position - cells).abs()).clamp(min=0)
        taps.append(weight * ((seen >= 0) & (seen < length)).to(dtype))
    return torch.cat(taps, 1)


def phases(dilation: int, length: int, dtype: torch.dtype) -> Tensor:
    """The phase images of a dilation along an axis, side by side, (length + dilation - 1, length), 0 in the gutters."""
    first = starts([len(range(i, length, dilation)) for i in range(dilation)])
    matrix = torch.zeros(length + dilation - 1, length, dtype=dtype)
    for pixel in range(length):
        matrix[first[pixel % dilation] + pixel // dilation, pixel] = 1
    return matrix
