"""What several passes need: finding a module's place, and hooks on the way in and out of a model."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def replace_module(model: nn.Module, old: nn.Module, new: nn.Module) -> nn.Module:
    """Put a module in the place of another, everywhere in a model; returns the model, or `new` if `old` is the model."""
    for owner in list(model.modules()):
        for name, child in list(owner.named_children()):
            if child is old:
                setattr(owner, name, new)
    return new if model is old else model


def has_methods_of(cls: type, base: type, names: tuple[str, ...]) -> bool:
    """Whether a class answers to these methods as `base` does: it does not override any."""
    return all(getattr(cls, name, None) is getattr(base, name, None) for name in names)


def exit_of(model: nn.Module) -> nn.Module:
    """The module that computes the logits, of a segmentor or of a classifier."""
    return getattr(getattr(model, 'decode_head', None), 'conv_seg', None) or getattr(model, 'linear', None) or model


def convert_input(
    model: nn.Module, dtype: torch.dtype | None = None, memory_format: torch.memory_format = torch.preserve_format
) -> None:
    """Convert the images on their way into the backbone (into the model where it has none)."""
    hook = partial(_convert_first, dtype=dtype, memory_format=memory_format)
    getattr(model, 'backbone', model).register_forward_pre_hook(hook)


def _convert_first(
    module: nn.Module, args: tuple[Any, ...], dtype: torch.dtype | None, memory_format: torch.memory_format
) -> tuple[Any, ...]:
    image: Tensor = args[0]
    return (image.to(dtype=dtype or image.dtype, memory_format=memory_format), *args[1:])
