"""Pass: the pyramid of a PSP head is folded into the conv behind it.

The head's 3x3 conv runs over cat(x, up(p1), up(p2), ...). The conv is linear and so is bilinear up-sampling: with its kernel
split by input block, the nine taps of a level are applied on the level's own few cells, and two small matrices,
which hold the up-sampling, its three shifts and the zero padding, bring the result to the size of x. The conv over the
up-sampled maps, most of the work under a narrow backbone, becomes a matrix product of rank 3 * (1 + 2 + 3 + 6).
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.psp_head import PPM, PSPHead
from torch import Tensor, nn


def fold_pyramid(model: nn.Module, options) -> str:
    """Fold the pyramid of every PSP head, in place; a head that computes it in its own way is left and said."""
    heads = [head for head in model.modules() if isinstance(head, PSPHead) and not isinstance(head, FoldedPSPHead)]
    folded = [head for head in heads if _is_foldable(head)]
    for head in folded:
        head.bottleneck = FoldedPyramid(head.psp_modules, head.bottleneck)
        head.psp_modules = None
        head.__class__ = FoldedPSPHead  # same state and same face, another forward pass
    said = [f'pyramid of bins {", ".join(map(str, head.bottleneck.bins))} folded into the head' for head in folded]
    if left := len(heads) - len(folded):
        said.append(f'{left} pyramids left as they are: the head or its 3x3 conv is not the usual one')
    return '; '.join(said)


def _is_foldable(head: PSPHead) -> bool:
    pyramid, bottleneck = head.psp_modules, head.bottleneck
    usual = (
        type(head)._forward_feature is PSPHead._forward_feature
        and type(head).forward is PSPHead.forward
        and isinstance(pyramid, PPM)
        and type(pyramid).forward is PPM.forward
        and type(bottleneck) is ConvModule
        and bottleneck.order[0] == 'conv'
        and all(isinstance(pool.output_size, int) for pool, _ in pyramid)
    )
    if not usual:
        return False
    conv = bottleneck.conv
    facts = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
    return facts == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and not bottleneck.with_explicit_padding


class FoldedPSPHead(PSPHead):
    """A PSP head whose pyramid is part of its `bottleneck`; made by `fold_pyramid` only."""

    def _forward_feature(self, inputs: 'tuple[Tensor, ...]') -> Tensor:
        return self.bottleneck(self._transform_inputs(inputs))


class FoldedPyramid(nn.Module):
    """Pyramid, up-sampling, concatenation and 3x3 conv of a PSP head, (N, C, H, W) -> (N, C_out, H, W), any size.

    Args:
        pyramid: the levels, each a pooling and a 1x1 `ConvModule`.
        bottleneck: the `ConvModule` over x and the levels; what follows its conv stays as it is.
    """

    def __init__(self, pyramid: PPM, bottleneck: ConvModule):
        super().__init__()
        self.align_corners = pyramid.align_corners
        self.bins = tuple(pool.output_size for pool, _ in pyramid)
        self.levels = nn.ModuleList(conv for _, conv in pyramid)
        whole = bottleneck.conv
        kernels = whole.weight.detach().split([pyramid.in_channels, *(conv.out_channels for conv in self.levels)], 1)
        self.conv = nn.Conv2d(pyramid.in_channels, whole.out_channels, 3, padding=1, device='meta')
        self.conv.weight = nn.Parameter(kernels[0].contiguous(), requires_grad=False)
        self.conv.bias = whole.bias
        self.taps = nn.ParameterList(nn.Parameter(_as_1x1(kernel), requires_grad=False) for kernel in kernels[1:])
        self.after = nn.Sequential()
        if bottleneck.with_norm:
            self.after.append(bottleneck.norm)
        if bottleneck.with_activation:
            self.after.append(bottleneck.activate)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        lines = []
        for bins, level, taps, cells in zip(self.bins, self.levels, self.taps, _pool(x, self.bins), strict=True):
            tapped = F.conv2d(level(cells), taps).unflatten(1, (3, 3, -1))  # (N, 3, 3, C_out, bins, bins)
            tapped = tapped.permute(0, 1, 4, 2, 5, 3).flatten(1, 2).flatten(2, 3)  # (N, 3 bins, 3 bins, C_out)
            lines.append(_up_and_shift(bins, width, self.align_corners, x.dtype, x.device) @ tapped)
        rows = [_up_and_shift(bins, height, self.align_corners, x.dtype, x.device) for bins in self.bins]
        return self.after(_add_product(self.conv(x), torch.cat(rows, 1), torch.cat(lines, 1)))


def _as_1x1(kernel: Tensor) -> Tensor:
    """A kernel (C_out, C_in, 3, 3) as that of a 1x1 conv to (tap row, tap column, C_out) channels."""
    return kernel.permute(2, 3, 0, 1).flatten(0, 2)[..., None, None].contiguous()


def _add_product(out: Tensor, rows: Tensor, lines: Tensor) -> Tensor:
    """Add sum_k rows[y, k] * lines[n, k, x, c] to out[n, c, y, x], in place and in the memory format of `out`."""
    n, channels, height, width = out.shape
    if out.is_contiguous():
        lines = lines.permute(0, 3, 1, 2).flatten(0, 1)
        out.view(-1, height, width).baddbmm_(rows.expand(n * channels, -1, -1), lines)
    else:
        out.permute(0, 2, 3, 1).view(n, height, -1).baddbmm_(rows.expand(n, -1, -1), lines.flatten(2))
    return out


def _pool(x: Tensor, bins: 'tuple[int, ...]') -> 'list[Tensor]':
    """The adaptive average pooling of x (N, C, H, W) to every number of bins, (N, C, bins, bins) each."""
    if not x.is_contiguous():
        return [F.adaptive_avg_pool2d(x, number) for number in bins]  # quick where the channels come last
    height, width = x.shape[2:]
    rows = torch.cat([_averages(number, height, x.dtype, x.device) for number in bins])
    strips = (rows @ x).split(bins, 2)  # one pass over x for all levels
    return [strip @ _averages(strip.shape[2], width, x.dtype, x.device).t() for strip in strips]


@lru_cache(maxsize=256)
def _make_averages(bins: int, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix (bins, size) of a one-dimensional adaptive average pooling."""
    with torch.inference_mode(False), torch.no_grad():
        units = torch.eye(size, dtype=torch.double)[None]
        return F.adaptive_avg_pool1d(units, bins)[0].t().to(device, dtype).contiguous()


@lru_cache(maxsize=256)
def _make_up_and_shift(bins: int, size: int, align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix (size, 3 * bins) of a linear up-sampling, seen by the three taps of a conv with zero padding."""
    with torch.inference_mode(False), torch.no_grad():
        units = torch.eye(bins, dtype=torch.double)[None]
        up = F.interpolate(units, size=size, mode='linear', align_corners=align_corners)[0].t()
        padded = F.pad(up, (0, 0, 1, 1))
        return torch.cat([padded[tap : tap + size] for tap in range(3)], 1).to(device, dtype).contiguous()


def _averages(*args) -> Tensor:
    return _cached(_make_averages, *args)


def _up_and_shift(*args) -> Tensor:
    return _cached(_make_up_and_shift, *args)


def _cached(make, *args) -> Tensor:
    """From the cache, but for torch.compile and torch.export, which trace how it is made."""
    return make.__wrapped__(*args) if torch.compiler.is_compiling() else make(*args)
