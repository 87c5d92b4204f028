"""The folded pyramid of a PSP head in operators that every engine has: products of matrices, nothing in place, no 5-d maps."""

import torch
from torch import Tensor, nn

from ..models.folded_psp_head import FoldedPyramid
from .axis_matrices import averages, cells_of, up_sampling


class PlainPyramid(nn.Module):
    """What a `FoldedPyramid` computes, (N, C, H, W) -> (N, C_out, H, W), for export.

    Args:
        pyramid: in place of which it stands, over the same parameters.
        size: (H, W) of the maps, for which all matrices are then constants; None for any size.
    """

    cells: Tensor
    numbers: Tensor

    def __init__(self, pyramid: FoldedPyramid, size: tuple[int, int] | None = None):
        super().__init__()
        self.bins, self.align_corners = pyramid.bins, pyramid.align_corners
        self.conv, self.levels, self.after = pyramid.conv, pyramid.levels, pyramid.after
        self.taps = nn.ModuleList(map(_as_conv, pyramid.taps))
        cells, numbers = cells_of(self.bins)
        self.register_buffer('cells', cells, persistent=False)
        self.register_buffer('numbers', numbers, persistent=False)
        self.is_fixed = size is not None
        if size is not None:
            for name, matrix in self._make_matrices(*size, torch.double).items():
                # Of 3 dimensions for the reason that `GutterRun` gives.
                self.register_buffer(name, matrix.to(pyramid.conv.weight.dtype)[None].contiguous())

    def _make_matrices(self, height: int, width: int, dtype: torch.dtype) -> dict[str, Tensor]:
        """Pooling and up-sampling: of all levels in one matrix along the height, of each level along the width."""
        cells, numbers = self.cells, self.numbers
        matrices = dict(
            pool_height=averages(cells, numbers, height, dtype),
            up_height=up_sampling(cells, numbers, height, self.align_corners, dtype),
        )
        pool_width = averages(cells, numbers, width, dtype).t().split(self.bins, 1)
        up_width = up_sampling(cells, numbers, width, self.align_corners, dtype).t().split(self.bins * 3, 0)
        levels = len(self.bins)
        for i in range(levels):
            matrices[f'pool_width_{i}'] = pool_width[i]
            matrices[f'up_width_{i}'] = torch.cat(up_width[i::levels])
        return matrices

    def forward(self, x: Tensor) -> Tensor:
        matrices = dict(self.named_buffers(recurse=False))
        if not self.is_fixed:
            matrices = self._make_matrices(x.shape[2], x.shape[3], x.dtype)
        strips = (matrices['pool_height'] @ x).split(self.bins, 2)
        lines: tuple[list[Tensor], ...] = ([], [], [])  # by the row of the tap
        for i, (strip, level, taps) in enumerate(zip(strips, self.levels, self.taps, strict=True)):
            tapped = taps(level(strip @ matrices[f'pool_width_{i}'])).chunk(9, 1)
            for row in range(3):
                lines[row].append(torch.cat(tapped[3 * row : 3 * row + 3], 3) @ matrices[f'up_width_{i}'])
        return self.after(self.conv(x) + matrices['up_height'] @ torch.cat(sum(lines, []), 2))


def _as_conv(taps: Tensor) -> nn.Conv2d:
    """A 1x1 conv over a kernel."""
    conv = nn.Conv2d(taps.shape[1], taps.shape[0], 1, bias=False, device='meta')
    conv.weight = nn.Parameter(taps.detach(), requires_grad=False)
    return conv
