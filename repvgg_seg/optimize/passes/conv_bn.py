"""Pass 'conv_bn': every BN right behind a conv becomes part of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from mmcv.cnn import ConvModule
from mmcv.cnn.bricks.wrappers import Conv2d
from mmseg.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from ...models.block import RepVGGBlock
from ...models.dilated_conv import DilatedConv2d
from ...models.fusion_algebra import fuse_conv_bn, row_slices
from ..options import Options
from .pass_definition import Record

# Subclasses may compute their kernel in every forward pass (weight standardisation does).
_PLAIN_CONVS = (nn.Conv2d, Conv2d, DilatedConv2d)


@dataclass(frozen=True)
class ConvBNRecord(Record):
    """The norms that were folded and those that stay.

    Args:
        folded: BNs that became part of a conv.
        left: type of norm -> number of those that stay.
    """

    folded: int
    left: Mapping[str, int]

    def __str__(self) -> str:
        said = [f'{self.folded} BNs folded into the convs before them'] if self.folded else []
        said += [
            f'{number} {norm} left as they are: they cannot be folded into a conv' for norm, number in self.left.items()
        ]
        return '; '.join(said)


def fold_conv_bn(model: nn.Module, options: Options) -> tuple[nn.Module, ConvBNRecord | None]:
    """Fold the BN behind a conv into it, in place, wherever a module is known to run the two one after the other.

    These modules are mmcv's `ConvModule`, `nn.Sequential` and the ResNets of mmseg. Any other norm is left.
    """
    folded = 0
    for owner in list(model.modules()):
        for conv_name, norm_name in _pairs(owner):
            conv, norm = getattr(owner, conv_name), getattr(owner, norm_name)
            if _foldable(conv, norm):
                _fold(conv, norm)
                setattr(owner, norm_name, nn.Identity())
                folded += 1
    left = Counter(
        type(norm).__name__
        for norm in model.modules()
        if isinstance(norm, (_BatchNorm, nn.GroupNorm, nn.LayerNorm, _InstanceNorm))
    )
    return model, ConvBNRecord(folded, left) if folded or left else None


def _pairs(owner: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of a conv and of the norm that its output goes to, and nowhere else."""
    if isinstance(owner, RepVGGBlock):
        return
    if isinstance(owner, ConvModule):
        if owner.with_norm and 'conv norm' in ' '.join(owner.order) and not owner.with_spectral_norm:
            yield 'conv', owner.norm_name
    elif isinstance(owner, nn.Sequential):
        names = list(owner._modules)  # named_children() skips a module that the Sequential holds a second time
        yield from zip(names, names[1:], strict=False)
    elif isinstance(owner, Bottleneck):
        yield from ((f'conv{i}', getattr(owner, f'norm{i}_name')) for i in (1, 2, 3))
    elif isinstance(owner, BasicBlock):
        yield from ((f'conv{i}', getattr(owner, f'norm{i}_name')) for i in (1, 2))
    elif isinstance(owner, ResNet) and not owner.deep_stem:
        yield 'conv1', owner.norm1_name


def _foldable(conv: nn.Module, norm: nn.Module) -> bool:
    """Whether a norm is a BN with running statistics behind a plain conv of as many channels."""
    return (
        type(conv) in _PLAIN_CONVS
        and isinstance(norm, _BatchNorm)
        and norm.running_mean is not None
        and norm.num_features == conv.out_channels
    )


@torch.no_grad()
def _fold(conv: nn.Conv2d, norm: _BatchNorm) -> None:
    """Give a conv the kernel and bias of itself and the BN together (paper, section 3.3), in place."""
    assert norm.running_mean is not None and norm.running_var is not None  # see _foldable
    statistics = (norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps, conv.bias)
    parts = [
        [fused.to(conv.weight) for fused in fuse_conv_bn(conv.weight, *statistics, rows=rows)]
        for rows in row_slices(conv.weight)
    ]
    conv.weight, conv.bias = (nn.Parameter(torch.cat(part), requires_grad=False) for part in zip(*parts, strict=True))
