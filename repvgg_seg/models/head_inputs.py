"""Heads that read fewer channels of the backbone than they were built for, as after pruning (paper, section 3.1)."""

from collections.abc import Iterator
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import FCNHead, PSPHead
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import InputError
from .folded_psp_head import FoldedPSPHead, FoldedQuarterPSPHead
from .loss_by_strips import StripLossFCNHead
from .psp_head import QuarterPSPHead

_KNOWN = (FCNHead, StripLossFCNHead, PSPHead, QuarterPSPHead, FoldedPSPHead, FoldedQuarterPSPHead)


def can_read_fewer(head: Any) -> bool:
    """Whether `keep_inputs` knows how a head reads its feature map; a head of another class may read it anywhere."""
    if type(head) not in _KNOWN or head.input_transform is not None or getattr(head, 'deploy', False):
        return False
    if isinstance(head, FCNHead) and head.num_convs == 0:  # its classifier reads the map
        return False
    levels = _levels(head) if bins_of(head) > 1 else []
    plain = all(type(module) is ConvModule and _is_plain(module) for module in readers(head))
    return plain and all(module.norm is None or isinstance(module.norm, _BatchNorm) for module in levels)


def bins_of(head: Any) -> int:
    """What the number of channels that a head reads has to be a multiple of."""
    return len(head.pool_scales) if getattr(head, 'quarter', False) else 1


def readers(head: Any) -> list[ConvModule]:
    """The convs of a head that read its feature map, as their first input channels."""
    if isinstance(head, PSPHead):
        return [*_levels(head), head.bottleneck]
    return [head.convs[0]] + ([head.conv_cat] if head.concat_input else [])


def _levels(head: Any) -> list[ConvModule]:
    return [level for _, level in head.psp_modules]


def _is_plain(module: ConvModule) -> bool:
    return isinstance(module.conv, nn.Conv2d) and module.conv.groups == 1 and not module.with_spectral_norm


@torch.no_grad()
def keep_inputs(head: Any, kept: Tensor) -> None:
    """Let a head read some channels of its feature map alone, in place.

    A `QuarterPSPHead` of C channels reduces them to C / 4 in each level of its pyramid, so that as many channels of a level go
    as well: those of the smallest L1 norm.

    Args:
        head: one of which `can_read_fewer` is true.
        kept: the numbers of the channels, in ascending order; a multiple of `bins_of`.

    Raises:
        InputError: the head reads its feature map in a way that is not known.
    """
    if not can_read_fewer(head):
        raise InputError(
            f'cannot let this {type(head).__name__} read {len(kept)} channels: only {", ".join(c.__name__ for c in _KNOWN)} '
            'read a known part of their feature map'
        )
    for module in readers(head):
        _keep_inputs_of_conv(module, kept, head.in_channels)
    head.in_channels = len(kept)
    if isinstance(head, PSPHead):
        head.psp_modules.in_channels = len(kept)
    if bins_of(head) > 1:
        _narrow_levels(head, len(kept) // bins_of(head))


def _keep_inputs_of_conv(module: ConvModule, kept: Tensor, first: int) -> None:
    """Keep some of the first input channels of a conv, and all behind these."""
    conv = module.conv
    behind = torch.arange(first, conv.in_channels, device=kept.device)
    index = torch.cat([kept, behind]).to(conv.weight.device)
    _replace(conv, 'weight', conv.weight[:, index])
    conv.in_channels = module.in_channels = len(index)


def _narrow_levels(head: Any, width: int) -> None:
    """Keep so many output channels of every level of a pyramid."""
    start, index = head.in_channels, [torch.arange(head.in_channels)]
    for level in _levels(head):
        kept = strongest(_norm_of_rows(level), width).cpu()
        index.append(start + kept)
        start += level.out_channels
        for part, name in _rows(level):
            value = getattr(part, name)
            if value is not None:
                _replace(part, name, value[kept.to(value.device)])
        level.conv.out_channels = level.out_channels = width
        if level.norm is not None:
            level.norm.num_features = width
    head.psp_modules.channels = width
    _keep_inputs_of_conv(head.bottleneck, torch.cat(index), start)


def _rows(level: ConvModule) -> Iterator[tuple[nn.Module, str]]:
    """What has a row for every output channel of a conv and its norm."""
    yield from ((level.conv, name) for name in ('weight', 'bias'))
    if level.norm is not None:
        yield from ((level.norm, name) for name in ('weight', 'bias', 'running_mean', 'running_var'))


def _norm_of_rows(level: ConvModule) -> Tensor:
    """The L1 norm of every output channel, with the BN behind the conv."""
    norm = level.conv.weight.flatten(1).abs().sum(1)
    bn = level.norm
    if bn is not None and bn.running_var is not None:
        norm = norm * (bn.running_var + bn.eps).rsqrt() * (1 if bn.weight is None else bn.weight.abs())
    return norm


def strongest(scores: Tensor, number: int) -> Tensor:
    """The places of the largest scores (C,), in ascending order; of equal ones the first."""
    return scores.argsort(descending=True, stable=True)[:number].sort().values


def _replace(module: nn.Module, name: str, value: Tensor) -> None:
    """Put a value of another shape in the place of a parameter or a buffer."""
    old = getattr(module, name)
    setattr(module, name, nn.Parameter(value, old.requires_grad) if isinstance(old, nn.Parameter) else value)
