"""Memory formats: the order in which kernels and feature maps lie in memory."""

import torch
from torch import nn

MEMORY_FORMATS = dict(channels_first=torch.contiguous_format, channels_last=torch.channels_last)
# oneDNN 3.12 (torch 2.13 on a CPU) writes past its memory in the backward pass of a strided 1x1 conv of fewer channels.
_LEAST_CHANNELS = 16


def to_memory_format(model: nn.Module, memory_format: torch.memory_format) -> nn.Module:
    """Store every kernel of a model in a memory format, in place; returns the model. For inference."""
    return model.to(memory_format=memory_format)  # type: ignore[call-overload]  # torch's hints lack this argument


def to_channels_last(model: nn.Module) -> None:
    """Store the kernels of a model channels last, in place, for training; the feature maps follow them.

    The network computes the same numbers in another order. Convs of few input channels, such as the stem's, stay as
    they are: they gain nothing, and their backward pass crashes on a CPU.
    """
    for conv in model.modules():
        if isinstance(conv, nn.Conv2d) and conv.in_channels >= _LEAST_CHANNELS:
            to_memory_format(conv, torch.channels_last)
