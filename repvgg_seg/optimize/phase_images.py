"""The phase images of feature maps, laid out so that an undilated conv sees what a dilated one would."""

from collections.abc import Iterator

import torch
from torch import Tensor


class Phases:
    """The d * d phase images of maps (N, C, H, W), laid out on a canvas. The subclasses are the layouts.

    Args:
        dilation: d. Phase image (i, j) holds the pixels of the rows i, i + d, ... and the columns j, j + d, ...
        size: (H, W) of the maps.
    """

    def __init__(self, dilation: int, size: tuple[int, int]):
        self.dilation = dilation
        self.size = size
        self.heights, self.widths = ([len(range(i, length, dilation)) for i in range(dilation)] for length in size)

    def enter(self, x: Tensor) -> Tensor:
        """Copy maps to a new canvas. The gaps between the images are uninitialised until `clear`.

        Args:
            x: (N, C, H, W), with H and W of `size`.

        Returns:
            The canvas: (d * d * N, C, ceil(H / d), ceil(W / d)) in 'batch' layout, (N, C, H + d - 1, W + d - 1) in 'gutter'
            layout.
        """
        canvas = _empty(x, self._shape(*x.shape[:2]))
        for i, j, image in self._images(canvas):
            image.copy_(x[:, :, i :: self.dilation, j :: self.dilation])
        return canvas

    def leave(self, canvas: Tensor) -> Tensor:
        """Copy the images on a canvas, of the shape that `enter` gives it and any C, back to maps (N, C, H, W)."""
        images = list(self._images(canvas))
        out = _empty(canvas, (*images[0][2].shape[:2], *self.size))
        for i, j, image in images:
            out[:, :, i :: self.dilation, j :: self.dilation].copy_(image)
        return out

    def _shape(self, n: int, channels: int) -> tuple[int, int, int, int]:
        """The shape of the canvas for N maps of C channels."""
        raise NotImplementedError

    def _images(self, canvas: Tensor) -> Iterator[tuple[int, int, Tensor]]:
        """Row phase, column phase and the view of the canvas that holds the phase image, for each of them."""
        raise NotImplementedError

    def clear(self, canvas: Tensor) -> Tensor:
        """The canvas with zeros, set in place, in the gaps between the images: the zero padding of the next 3x3 conv."""
        raise NotImplementedError


class BatchPhases(Phases):
    """Phase images as a batch of d * d * N, with a last row and column of zeros where one is smaller than the largest."""

    def _shape(self, n: int, channels: int) -> tuple[int, int, int, int]:
        return self.dilation**2 * n, channels, max(self.heights), max(self.widths)

    def _images(self, canvas: Tensor) -> Iterator[tuple[int, int, Tensor]]:
        grid = canvas.unflatten(0, (self.dilation, self.dilation, -1))
        for i, height in enumerate(self.heights):
            for j, width in enumerate(self.widths):
                yield i, j, grid[i, j, :, :, :height, :width]

    def clear(self, canvas: Tensor) -> Tensor:
        grid = canvas.unflatten(0, (self.dilation, self.dilation, -1))
        rows, columns = (length % self.dilation for length in self.size)
        if rows:
            grid[rows:, ..., -1, :].zero_()
        if columns:
            grid[:, columns:, ..., -1].zero_()
        return canvas


class GutterPhases(Phases):
    """Phase images side by side in one image, a zero row and column between them."""

    def _shape(self, n: int, channels: int) -> tuple[int, int, int, int]:
        gutters = self.dilation - 1
        return n, channels, sum(self.heights) + gutters, sum(self.widths) + gutters

    def _images(self, canvas: Tensor) -> Iterator[tuple[int, int, Tensor]]:
        for i, (top, height) in enumerate(zip(starts(self.heights), self.heights, strict=True)):
            for j, (left, width) in enumerate(zip(starts(self.widths), self.widths, strict=True)):
                yield i, j, canvas[:, :, top : top + height, left : left + width]

    def clear(self, canvas: Tensor) -> Tensor:
        for top in starts(self.heights)[1:]:
            canvas[:, :, top - 1].zero_()
        for left in starts(self.widths)[1:]:
            canvas[..., left - 1].zero_()
        return canvas


# By the value of the option `dilation`.
LAYOUTS = dict(batch=BatchPhases, gutter=GutterPhases)


def starts(lengths: list[int]) -> list[int]:
    """Where each image begins, with a gutter of one behind every image."""
    return [sum(lengths[:i]) + i for i in range(len(lengths))]


def _empty(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    contiguous = like.is_contiguous()
    memory_format = torch.contiguous_format if contiguous else torch.channels_last
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=memory_format)
