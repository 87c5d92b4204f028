"""PSPHead of mmseg, computed with its pyramid folded into the conv behind it.

The 3x3 conv of the head runs over cat(x, up(p1), up(p2), ...). The conv is linear, and so is bilinear up-sampling. So its
kernel is split by input block: the nine taps of a level are applied on the level's own few cells, and two small
matrices, which hold the up-sampling, its three shifts and the zero padding, bring the result to the size of x. The conv
over the up-sampled maps, most of the work under a narrow backbone, becomes a matrix product of rank 3 * (1 + 2 + 3 + 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmcv.cnn.bricks.wrappers import Conv2d
from mmseg.models.decode_heads import PSPHead
from mmseg.models.decode_heads.psp_head import PPM
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..errors import InputError
from .loss_by_strips import LossByStrips
from .psp_head import QuarterPSPHead
from .take_over import take_over
from .tracing import fixed, is_tracing, outside_of_trace
from .up_sampling import linear_up_sampling

# What a head is asked for in inference. A head that answers in its own way is not folded.
_METHODS = ('forward', '_forward_feature', '_transform_inputs', 'cls_seg', 'predict', 'predict_by_feat')


def is_foldable(head: PSPHead) -> bool:
    """Whether a head computes its logits as mmseg's `PSPHead` does, from plain convs."""
    return all(getattr(type(head), name) is getattr(PSPHead, name) for name in _METHODS) and _has_plain_convs(head)


def _has_plain_convs(head: PSPHead) -> bool:
    pyramid, bottleneck = head.psp_modules, head.bottleneck
    if not (
        isinstance(pyramid, PPM)
        and type(pyramid).forward is PPM.forward
        and all(isinstance(pool.output_size, int) for pool, _ in pyramid)
        and type(bottleneck) is ConvModule
        and bottleneck.order == ('conv', 'norm', 'act')
        and not (bottleneck.with_explicit_padding or bottleneck.with_spectral_norm)
        and type(bottleneck.conv) in (nn.Conv2d, Conv2d)  # subclasses may compute their kernel in every forward pass
    ):
        return False
    conv = bottleneck.conv
    facts = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups, conv.padding_mode)
    return facts == ((3, 3), (1, 1), (1, 1), (1, 1), 1, 'zeros')


@MODELS.register_module()
class FoldedPSPHead(LossByStrips, QuarterPSPHead):
    """PSPHead of mmseg with the same parameters and results and less work, also in training, whose loss takes less memory.

    In its training form the state dict is that of `PSPHead`, in both directions. The deploy form holds the kernels
    already split; a state dict in training form loads into it and is split on the way, the other way round is refused.

    Args:
        quarter: reduce the C channels of the backbone to C / 4 in each level of the pyramid, as `QuarterPSPHead` does.
        deploy: build the deploy form, for inference.
        **kwargs: as mmseg's `PSPHead` takes them.

    Raises:
        InputError: `conv_cfg` asks for another conv than the plain one, or as `QuarterPSPHead`.
    """

    def __init__(self, quarter: bool = False, deploy: bool = False, **kwargs: Any):
        super().__init__(quarter, **kwargs)
        if not _has_plain_convs(self):
            raise InputError(
                f'a FoldedPSPHead needs plain convs, got conv_cfg={self.conv_cfg!r}: leave conv_cfg out, or use PSPHead'
            )
        self.deploy = False
        if deploy:
            self.switch_to_deploy()

    @classmethod
    def from_head(cls, head: PSPHead) -> FoldedPSPHead:
        """A folded head, in training form, over the parts and settings of another head, which it takes over.

        Raises:
            InputError: as `is_foldable` tells, the head computes its logits in its own way.
        """
        if not is_foldable(head):
            raise InputError(f'cannot fold this {type(head).__name__}: it differs from the PSPHead of mmseg')
        folded = take_over(cls, head)
        folded.deploy = False
        return folded

    def switch_to_deploy(self) -> None:
        """Split the kernel once and for all, in place; nothing happens in deploy form."""
        if not self.deploy:
            self.bottleneck = FoldedPyramid(self.psp_modules, self.bottleneck)
            self.psp_modules = None
            self.deploy = True

    def _forward_feature(self, inputs: Sequence[Tensor]) -> Tensor:
        """The features before the classifier, (N, channels, H, W), from the feature maps of the backbone."""
        x = self._transform_inputs(inputs)
        if self.deploy:
            return self.bottleneck(x)
        conv = self.bottleneck.conv
        kernel, *taps = _split_kernel(conv.weight, self.psp_modules)
        levels = [level for _, level in self.psp_modules]
        out = F.conv2d(x, kernel, conv.bias, padding=1)
        out = _add_pyramid(out, x, _bins(self.psp_modules), levels, taps, self.align_corners)
        for step in _after_conv(self.bottleneck):
            out = step(out)
        return out

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Split the kernel of a training form on its way into a deploy form; refuse the opposite."""
        if not self.deploy and f'{prefix}bottleneck.taps.0' in state_dict:
            raise InputError(
                f'the weights of {prefix[:-1] or "this head"} are those of a deployed FoldedPSPHead: load the training '
                'checkpoint, or build the head with deploy=True'
            )
        if self.deploy and f'{prefix}psp_modules.0.1.conv.weight' in state_dict:
            self._fold_state_dict(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _fold_state_dict(self, state_dict: dict[str, Any], prefix: str) -> None:
        """Rename and split the tensors of a training form, in place."""
        tensors = {name: state_dict.pop(name) for name in list(state_dict) if name.startswith(prefix)}
        for name, tensor in tensors.items():
            parts = name.removeprefix(prefix).split('.')
            if parts[0] == 'psp_modules':  # psp_modules.LEVEL.1.conv.weight
                parts = ['bottleneck', 'levels', parts[1], *parts[3:]]
            elif parts[0] == 'bottleneck' and parts[1] != 'conv':  # bottleneck.bn.weight
                parts = ['bottleneck', 'after', '0', *parts[2:]]
            state_dict[prefix + '.'.join(parts)] = tensor
        whole = f'{prefix}bottleneck.conv.weight'
        channels = [self.bottleneck.conv.in_channels, *(level.out_channels for level in self.bottleneck.levels)]
        kernel, *taps = _split(state_dict[whole], channels)
        state_dict[whole] = kernel
        for i, level_taps in enumerate(taps):
            state_dict[f'{prefix}bottleneck.taps.{i}'] = level_taps


@MODELS.register_module()
class FoldedQuarterPSPHead(FoldedPSPHead):
    """`FoldedPSPHead` with `quarter=True`: a type of its own, so that a config which sets another type alone is valid."""

    def __init__(self, quarter: bool = True, **kwargs: Any):
        super().__init__(quarter, **kwargs)


class FoldedPyramid(nn.Module):
    """Pyramid, up-sampling, concatenation and 3x3 conv of a PSP head, (N, C, H, W) -> (N, C_out, H, W), any size.

    Args:
        pyramid: the levels, each a pooling and a 1x1 `ConvModule`.
        bottleneck: the `ConvModule` over x and the levels; its norm and activation are taken over.
    """

    def __init__(self, pyramid: PPM, bottleneck: ConvModule):
        super().__init__()
        self.align_corners = pyramid.align_corners
        self.bins = _bins(pyramid)
        self.levels = nn.ModuleList(level for _, level in pyramid)
        whole = bottleneck.conv
        kernel, *taps = _split_kernel(whole.weight.detach(), pyramid)
        self.conv = nn.Conv2d(pyramid.in_channels, whole.out_channels, 3, padding=1, device='meta')
        self.conv.weight = nn.Parameter(kernel.contiguous(), requires_grad=False)
        self.conv.bias = whole.bias
        self.taps = nn.ParameterList(nn.Parameter(tap.contiguous(), requires_grad=False) for tap in taps)
        self.after = nn.Sequential(*_after_conv(bottleneck))

    def forward(self, x: Tensor) -> Tensor:
        return self.after(_add_pyramid(self.conv(x), x, self.bins, self.levels, self.taps, self.align_corners))


def _bins(pyramid: PPM) -> tuple[int, ...]:
    return tuple(pool.output_size for pool, _ in pyramid)


def _after_conv(bottleneck: ConvModule) -> list[nn.Module]:
    """The norm and the activation of a `ConvModule`, where it has them."""
    norm = [bottleneck.norm] if bottleneck.with_norm else []
    return norm + ([bottleneck.activate] if bottleneck.with_activation else [])


def _split_kernel(kernel: Tensor, pyramid: PPM) -> list[Tensor]:
    return _split(kernel, [pyramid.in_channels, *(level.out_channels for _, level in pyramid)])


def _split(kernel: Tensor, channels: list[int]) -> list[Tensor]:
    """The 3x3 kernel over x, and for each level that of a 1x1 conv to (tap row, tap column, C_out) channels."""
    over_x, *over_levels = kernel.split(channels, 1)
    return [over_x, *(part.permute(2, 3, 0, 1).flatten(0, 2)[..., None, None] for part in over_levels)]


def _add_pyramid(
    out: Tensor,
    x: Tensor,
    bins: tuple[int, ...],
    levels: Iterable[nn.Module],
    taps: Iterable[Tensor],
    align_corners: bool,
) -> Tensor:
    """Add to `out` what the 3x3 conv computes from the up-sampled levels of the pyramid over x; in place unless traced."""
    height, width = fixed(x.shape[2:])
    lines = []
    for number, level, level_taps, cells in zip(bins, levels, taps, _pool(x, bins), strict=True):
        tapped = F.conv2d(level(cells), level_taps).unflatten(1, (3, 3, -1))  # (N, 3, 3, C_out, bins, bins)
        tapped = tapped.permute(0, 1, 4, 2, 5, 3).flatten(1, 2).flatten(2, 3)  # (N, 3 bins, 3 bins, C_out)
        with _without_autocast(x):
            tapped = _at_least_fp32(tapped)
            lines.append(_up_and_shift(number, width, align_corners, tapped.dtype, x.device) @ tapped)
    rows = [_up_and_shift(number, height, align_corners, out.dtype, x.device) for number in bins]
    return _add_product(out, torch.cat(rows, 1), torch.cat(lines, 1).to(out.dtype))


def _add_product(out: Tensor, rows: Tensor, lines: Tensor) -> Tensor:
    """Add sum_k rows[y, k] * lines[n, k, x, c] to out[n, c, y, x], in place and in the memory format of `out`.

    Autograd allows it: the backward pass of the conv that computed `out` needs its input and its kernel only. The older
    ONNX exporter does not: it would lose the sum.
    """
    if is_tracing():
        product = rows @ lines.flatten(2)
        return out + product.unflatten(2, lines.shape[2:]).permute(0, 3, 1, 2)
    n, channels, height, width = out.shape
    if out.is_contiguous():
        lines = lines.permute(0, 3, 1, 2).flatten(0, 1)
        out.view(-1, height, width).baddbmm_(rows.expand(n * channels, -1, -1), lines)
    else:
        out.permute(0, 2, 3, 1).view(n, height, -1).baddbmm_(rows.expand(n, -1, -1), lines.flatten(2))
    return out


def _pool(x: Tensor, bins: tuple[int, ...]) -> list[Tensor]:
    """The adaptive average pooling of x (N, C, H, W) to every number of bins, (N, C, bins, bins) each, computed in fp32.

    In half precision the averages of many pixels, and their gradients, which are tiny, would lose most of their digits.
    """
    with _without_autocast(x):
        wide = _at_least_fp32(x)
        if not x.is_contiguous() and not is_tracing():
            cells = [F.adaptive_avg_pool2d(wide, number) for number in bins]  # quick where the channels come last
        else:
            height, width = fixed(x.shape[2:])
            rows = torch.cat([_averages(number, height, wide.dtype, x.device) for number in bins])
            strips = (rows @ wide).split(bins, 2)  # one pass over x for all levels
            cells = [
                strip @ _averages(number, width, wide.dtype, x.device).t()
                for number, strip in zip(bins, strips, strict=True)
            ]
        return [cell.to(x.dtype) for cell in cells]


def _without_autocast(x: Tensor) -> AbstractContextManager[object]:
    # Other devices, such as 'meta', may know no autocast.
    return torch.autocast(x.device.type, enabled=False) if x.device.type in ('cpu', 'cuda') else nullcontext()


def _at_least_fp32(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


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
        padded = F.pad(linear_up_sampling(bins, size, align_corners), (0, 0, 1, 1))
        return torch.cat([padded[tap : tap + size] for tap in range(3)], 1).to(device, dtype).contiguous()


# torch.compile and torch.export trace how a matrix is made; everything else takes it from the cache.


def _averages(bins: int, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    make = _make_averages.__wrapped__ if torch.compiler.is_compiling() else _make_averages
    return outside_of_trace(make, bins, size, dtype, device)


def _up_and_shift(bins: int, size: int, align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    make = _make_up_and_shift.__wrapped__ if torch.compiler.is_compiling() else _make_up_and_shift
    return outside_of_trace(make, bins, size, align_corners, dtype, device)
