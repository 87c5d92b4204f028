"""A 3x3 conv by Winograd's algorithm in torch's operators, for a CPU in fp32 (paper, section 2.4; Lavin and Gray, 2016).

F(4x4, 3x3): 36 multiplications for 16 outputs where the plain sum takes 144. The points are 0, +-2/3, +-3/2 and infinity, not
the usual 0, +-1, +-2: the rounding error of a layer is a quarter of theirs in fp32 and five times that of the plain sum.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.tracing import is_tracing, outside_of_trace
from .onednn import PACKED_FOR, conv_1x1, pack_kernel, unpack_kernel

WORKSPACE = 2**25  # bytes of tiles transformed at a time: they should stay in the cache
GROWTH = 4  # how many times the size of the 3x3 kernel its transform has
_POINTS = (Fraction(0), Fraction(2, 3), Fraction(-2, 3), Fraction(3, 2), Fraction(-3, 2))
_OUT = 4  # side of a tile of outputs
_IN = 6  # side of the tile of inputs that it needs
# Tiles that are computed at a time. For other numbers oneDNN (3.12, with AVX-512) may want the kernel in another layout, and
# bring it there anew in every call, which takes a hundred times as long as the products.
_PARTS = (PACKED_FOR // 4, PACKED_FOR // 2, PACKED_FOR)
_PAIRS = 8192  # of an input and an output channel: so many 3x3 kernels are transformed at a time


@dataclass(frozen=True)
class _Strip:
    """Rows of tiles of one phase image."""

    n: int
    i: int
    j: int
    top: int
    rows: int
    columns: int

    @property
    def tiles(self) -> int:
        return self.rows * self.columns


class WinogradConv(nn.Module):
    """A 3x3 conv of stride 1 and padding = dilation, (N, C, H, W) -> (N, C_out, H, W), any size, on a CPU in fp32.

    Args:
        conv: the conv it replaces.
        workspace: memory to transform the kernel in, fp32, at least `GROWTH` times as many numbers as the kernel has, any
            content; new memory by default, which may take longer than the transform. Only the constructor uses it.
    """

    def __init__(self, conv: nn.Conv2d, workspace: Tensor | None = None):
        super().__init__()
        self.in_channels, self.out_channels, self.groups = conv.in_channels, conv.out_channels, conv.groups
        self.dilation = conv.dilation[0]
        self.bias = conv.bias
        self.kernel = pack_kernel(_transformed(conv.weight.detach(), workspace), _IN**2 * self.groups)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x (N, C, H, W) to (N, C_out, H, W), which is stored channels last."""
        if is_tracing():  # the older ONNX exporter would lose what is written into `out`, and knows no packed kernel
            kernel = outside_of_trace(self._plain_kernel)
            return F.conv2d(x, kernel, self.bias, padding=self.dilation, dilation=self.dilation, groups=self.groups)
        shape = (len(x), self.out_channels, *x.shape[2:])
        out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        for block in () if x.is_meta else self._blocks(x.shape):
            self._compute(x, out, block)
        return out

    def _plain_kernel(self) -> Tensor:
        """The 3x3 kernel (C_out, C / groups, 3, 3) again, up to rounding."""
        _, kernel_side, _ = _matrices()
        transformed = unpack_kernel(self.kernel).double().reshape(_IN**2, -1)
        taps = torch.linalg.pinv(torch.kron(kernel_side, kernel_side)) @ transformed
        return taps.t().reshape(self.out_channels, -1, 3, 3).float()

    def _blocks(self, shape: torch.Size) -> list[list[_Strip]]:
        """The tiles of a batch in strips of one phase image, and the strips in blocks that fit the workspace."""
        most = WORKSPACE // (4 * _IN**2 * max(self.in_channels, self.out_channels))
        most = most // PACKED_FOR * PACKED_FOR or max(part for part in _PARTS if part <= max(most, _PARTS[0]))
        blocks: list[list[_Strip]] = []
        room = 0
        for n in range(shape[0]):
            for i in range(min(self.dilation, shape[2])):
                for j in range(min(self.dilation, shape[3])):
                    height, width = (
                        len(range(p, size, self.dilation)) for p, size in zip((i, j), shape[2:], strict=True)
                    )
                    rows, columns = -(-height // _OUT), -(-width // _OUT)
                    top = 0
                    while top < rows:
                        if room < columns:
                            blocks.append([])
                            room = most
                        strip = _Strip(n, i, j, top, min(rows - top, max(1, room // columns)), columns)
                        blocks[-1].append(strip)
                        room -= strip.tiles
                        top += strip.rows
        return blocks

    def _compute(self, x: Tensor, out: Tensor, block: list[_Strip]) -> None:
        """Compute the outputs of the tiles of one block, and write them into `out`."""
        out_side, in_side = _plane_matrices()
        numbers = [strip.tiles for strip in block]
        parts = _parts(sum(numbers))
        tiles = torch.empty((sum(parts), _IN, _IN, self.in_channels), dtype=x.dtype)
        *cut, unused = tiles.split([*numbers, sum(parts) - sum(numbers)])
        unused.zero_()
        for strip, part in zip(block, cut, strict=True):
            _gather(self._phase(x, strip), strip.top, part.unflatten(0, (strip.rows, strip.columns)))
        sums = torch.empty((sum(parts), _OUT**2, self.out_channels), dtype=x.dtype)
        for part, out_part in zip(tiles.flatten(1, 2).split(parts), sums.split(parts), strict=True):
            transformed = (in_side @ part).flatten(1)
            # 36 matrix products as one 1x1 conv in as many groups: oneDNN is faster at it than torch's matmul.
            products = conv_1x1(transformed.t()[None, ..., None], self.kernel, _IN**2 * self.groups)
            products = products[0, ..., 0].t().unflatten(1, (_IN**2, self.out_channels))
            torch.matmul(out_side, products, out=out_part)
        del tiles
        for strip, part in zip(block, sums.unflatten(1, (_OUT, _OUT)).split([*numbers, len(unused)]), strict=False):
            _scatter(part.unflatten(0, (strip.rows, strip.columns)), self.bias, strip.top, self._phase(out, strip))

    def _phase(self, x: Tensor, strip: _Strip) -> Tensor:
        """The phase image (H', W', C) of a strip: a view."""
        return x[strip.n, :, strip.i :: self.dilation, strip.j :: self.dilation].permute(1, 2, 0)

    def __deepcopy__(self, memo: dict[int, object]) -> WinogradConv:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        # The packed kernel, which torch cannot copy, never changes: the copies share it.
        twin.__dict__.update({k: v if k == 'kernel' else copy.deepcopy(v, memo) for k, v in self.__dict__.items()})
        return twin

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, 'kernel': unpack_kernel(self.kernel)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, 'kernel': pack_kernel(state['kernel'], _IN**2 * state['groups'])})


def _transformed(kernel: Tensor, workspace: Tensor | None = None) -> Tensor:
    """A 3x3 kernel (C_out, C / groups, 3, 3) for the 36 products: (36 C_out, C / groups, 1, 1), written into a workspace."""
    _, kernel_side, _ = _matrices()
    both_sides = torch.kron(kernel_side, kernel_side)
    shape = (_IN**2, *kernel.shape[:2])
    out = torch.empty(shape) if workspace is None else workspace[: GROWTH * kernel.numel()].view(shape)
    # In double, a few channels at a time: the numbers of the whole kernel in double would take eight times its memory.
    number = max(1, _PAIRS // kernel.shape[1])
    for some, target in zip(kernel.split(number), out.split(number, 1), strict=True):
        taps = some.double().flatten(2).transpose(1, 2)  # without a copy where the channels come last
        target.copy_(torch.bmm(both_sides.expand(len(some), -1, -1), taps).transpose(0, 1))
    return out.reshape(-1, kernel.shape[1], 1, 1)


def _parts(tiles: int) -> list[int]:
    """The numbers of tiles to compute at a time: as the kernel is packed for, and for the rest the least of `_PARTS` that fits."""
    whole, rest = divmod(tiles, PACKED_FOR)
    return [PACKED_FOR] * whole + ([min(part for part in _PARTS if part >= rest)] if rest else [])


def _gather(image: Tensor, top: int, tiles: Tensor) -> None:
    """Cut tiles (rows, columns, 6, 6, C) of an image (H, W, C), four apart and overlapping, zero beyond its border."""
    for a in range(_IN):
        for b in range(_IN):
            rows, from_row = _within(image.shape[0], _OUT * top + a - 1, tiles.shape[0])
            columns, from_column = _within(image.shape[1], b - 1, tiles.shape[1])
            part = tiles[:, :, a, b]
            part[: rows.start].zero_()
            part[rows.stop :].zero_()
            part[rows, : columns.start].zero_()
            part[rows, columns.stop :].zero_()
            part[rows, columns].copy_(
                image[from_row::_OUT, from_column::_OUT][: rows.stop - rows.start, : columns.stop - columns.start]
            )


def _within(size: int, first: int, number: int) -> tuple[slice, int]:
    """Which of `number` tiles, whose pixel lies at first, first + 4, ..., see a pixel of the image, and the first such pixel."""
    start = 1 if first < 0 else 0
    stop = max(start, min(number, len(range(first, size, _OUT))))
    return slice(start, stop), first + _OUT * start


def _scatter(sums: Tensor, bias: Tensor | None, top: int, image: Tensor) -> None:
    """Write tiles of outputs (rows, columns, 4, 4, C_out), with the bias, to their places in an image (H, W, C_out)."""
    for a in range(_OUT):
        for b in range(_OUT):
            part = image[_OUT * top + a :: _OUT, b::_OUT][: sums.shape[0]]
            tile = sums[: part.shape[0], : part.shape[1], a, b]
            if bias is None:
                part.copy_(tile)
            else:
                torch.add(tile, bias, out=part)


@lru_cache(maxsize=1)
def _matrices() -> tuple[Tensor, Tensor, Tensor]:
    """A^T (4, 6), G (6, 3) and B^T (6, 6) of F(4, 3), double: y = A^T ((G g) * (B^T d)).

    Toom-Cook: evaluate two polynomials at six points, multiply, interpolate; transposed.
    """
    with torch.inference_mode(False):
        vandermonde = torch.tensor(
            [[float(p**k) for k in range(_IN)] for p in _POINTS] + [[0.0] * (_IN - 1) + [1.0]], dtype=torch.double
        )
        infinity = torch.eye(_IN, dtype=torch.double)[-1:]
        out_side = torch.cat([vandermonde[:-1, :_OUT], infinity[:, -_OUT:]]).t()
        kernel_side = torch.cat([vandermonde[:-1, :3], infinity[:, -3:]])
        in_side = torch.linalg.inv(vandermonde).t()
        return out_side.contiguous(), kernel_side, in_side.contiguous()


@lru_cache(maxsize=1)
def _plane_matrices() -> tuple[Tensor, Tensor]:
    """The output and input transforms of both axes at once, as matrices (16, 36) and (36, 36) in fp32."""
    with torch.inference_mode(False):
        out_side, _, in_side = _matrices()
        return torch.kron(out_side, out_side).float(), torch.kron(in_side, in_side).float()
