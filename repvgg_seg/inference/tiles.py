"""Images that would take more memory than there is: cut into overlapping tiles, of which each gives its part of the labels."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..errors import InputError
from ..measure.memory import peak_memory
from ..measure.spare_memory import spare_memory

_PROBE = 256  # pixels of the side of what is computed to learn how much memory a pixel takes
_PLENTY = 4096  # bytes for a pixel that no usual network needs: with so much to spare, nothing is measured
SMALLEST_TILE = 128  # pixels of the side of a tile
_SAFETY = 1.25  # of the memory that a tile takes
Place = tuple[slice, slice]


class TileSizes:
    """The sides of the tiles in which images are computed on a CPU.

    Args:
        run: computes the labels of an image (C, H, W).
        most: bytes that an image may take; what the machine has to spare by default, and never more.
    """

    def __init__(self, run: Callable[[Tensor], object], most: int | None = None) -> None:
        self._run, self._most = run, most
        self._bytes_per_pixel: float | None = None

    def side_for(self, image: Tensor) -> int | None:
        """The side of the tiles of an image (C, H, W); None for an image that fits as a whole.

        Raises:
            InputError: the smallest tiles do not fit either.
        """
        limits = [limit for limit in (spare_memory(), self._most) if limit is not None]
        height, width = image.shape[-2:]
        if not limits or height * width * _PLENTY <= min(limits):
            return None
        if self._bytes_per_pixel is None:
            part = image[:, :_PROBE, :_PROBE].contiguous()
            peak = peak_memory(lambda: self._run(part), torch.device('cpu'))
            self._bytes_per_pixel = _SAFETY * peak / (part.shape[-2] * part.shape[-1])
        if height * width * self._bytes_per_pixel <= min(limits):
            return None
        side = int(math.sqrt(min(limits) / self._bytes_per_pixel)) // 32 * 32
        if side < SMALLEST_TILE:
            raise InputError(
                f'an image of {height}x{width} (height x width) does not fit in memory, in tiles of {SMALLEST_TILE}x{SMALLEST_TILE} '
                f'neither: {min(limits) / 2**20:.0f} MiB may be taken'
            )
        return side


def tiles_of(height: int, width: int, side: int) -> Iterator[tuple[Place, Place, Place]]:
    """The tiles of an image, which overlap by an eighth of their side.

    Yields:
        Where a tile lies in the image; which part of the image gets its labels, the middle of the tile and what reaches the
        border; and where that part lies in the tile.
    """
    for rows, inner_rows in _spans(height, side):
        for columns, inner_columns in _spans(width, side):
            own = (_within(inner_rows, rows), _within(inner_columns, columns))
            yield (rows, columns), (inner_rows, inner_columns), own


def _spans(length: int, side: int) -> Iterator[tuple[slice, slice]]:
    """The spans of the tiles along an axis, and the parts of them that are used, which meet in the middle of the overlaps."""
    if length <= side:
        yield slice(0, length), slice(0, length)
        return
    number = math.ceil((length - side) / (side - side // 8)) + 1
    starts = [round(i * (length - side) / (number - 1)) for i in range(number)]
    cuts = [0, *((start + before + side) // 2 for before, start in zip(starts, starts[1:], strict=False)), length]
    for start, first, last in zip(starts, cuts[:-1], cuts[1:], strict=True):
        yield slice(start, start + side), slice(first, last)


def _within(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)
