"""The conversion of images, in number type and memory format, on their way into a model."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def convert_input(
    model: nn.Module, dtype: torch.dtype | None = None, memory_format: torch.memory_format = torch.preserve_format
) -> None:
    """Convert the images on their way into the backbone (into the model where it has none)."""
    hook = partial(_convert_first, dtype=dtype, memory_format=memory_format)
    getattr(model, 'backbone', model).register_forward_pre_hook(hook)


def _convert_first(
    module: nn.Module, args: tuple[Any, ...], dtype: torch.dtype | None, memory_format: torch.memory_format
) -> tuple[Any, ...]:
    """Hook before a forward pass that converts its first argument, the images."""
    image: Tensor = args[0]
    return (image.to(dtype=dtype or image.dtype, memory_format=memory_format), *args[1:])
