"""Pass 'dtype': the network computes in another number type. Images go in and logits come out in fp32."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..convert_input import convert_input
from ..options import Options
from .pass_definition import Record


@dataclass(frozen=True)
class DtypeRecord(Record):
    """The number type that the network computes in.

    Args:
        dtype: number type of weights and feature maps.
    """

    dtype: torch.dtype

    def __str__(self) -> str:
        return f'computed in {str(self.dtype).removeprefix("torch.")}'


def cast(model: nn.Module, options: Options) -> tuple[nn.Module, DtypeRecord | None]:
    """Let a model compute in `options.dtype`, in place."""
    if options.dtype is torch.float32:
        return model, None
    for part in _computing_parts(model):
        part.to(options.dtype)
    convert_input(model, dtype=options.dtype)
    _exit_of(model).register_forward_hook(_to_fp32)
    return model, DtypeRecord(options.dtype)


def _computing_parts(model: nn.Module) -> list[nn.Module]:
    """All parts but the preprocessor of a segmentor, whose mean and deviation stay in fp32."""
    if not hasattr(model, 'backbone'):
        return [model]
    return [part for name, part in model.named_children() if name != 'data_preprocessor']


def _exit_of(model: nn.Module) -> nn.Module:
    """The module that computes the logits, of a segmentor or of a classifier."""
    return getattr(getattr(model, 'decode_head', None), 'conv_seg', None) or getattr(model, 'linear', None) or model


def _to_fp32(module: nn.Module, args: tuple[object, ...], out: Tensor) -> Tensor:
    return out.float()
