"""Kernels channels last, for training."""

import torch
from torch import nn

# oneDNN 3.12 (torch 2.13 on a CPU) writes past its memory in the backward pass of a strided 1x1 conv of fewer channels.
_LEAST_CHANNELS = 16


def to_channels_last(model: nn.Module) -> None:
    """Store the kernels of a model channels last, in place; the feature maps follow them. The same numbers in another order.

    Convs of few input channels, such as the stem's, stay as they are: they gain nothing, and on a CPU they crash.
    """
    for conv in model.modules():
        if isinstance(conv, nn.Conv2d) and conv.in_channels >= _LEAST_CHANNELS:
            conv.to(memory_format=torch.channels_last)
