"""Counts of parameters, multiply-adds and Winograd multiplications of a network."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Count:
    """What a forward pass is made of.

    Args:
        params: parameters of the model.
        flops: multiply-adds, each counted once (paper, section 2.4).
        wino_muls: multiplications when every 3x3 conv of stride 1 runs as Winograd F(2x2, 3x3), 4/9 of its own
            (paper, section 2.4). Departure: a dilated one counts in full, since no library has Winograd for it.
    """

    params: int
    flops: int
    wino_muls: int


@torch.no_grad()
def count(model: nn.Module, inputs: Tensor) -> Count:
    """Count a forward pass as it runs, from the shapes that its convs and matrix products see.

    Args:
        model: in eval mode; called with `inputs`. Give both on the device 'meta' to count without computing.
        inputs: (N, C, H, W); the counts are of the whole batch.
    """
    with (
        FlopCounterMode(display=False) as flops,
        FlopCounterMode(display=False, custom_mapping={torch.ops.aten.convolution: _winograd_flops}) as wino_muls,
    ):
        model(inputs)
    # torch counts a multiply-add twice.
    return Count(
        params=sum(parameter.numel() for parameter in model.parameters()),
        flops=flops.get_total_flops() // 2,
        wino_muls=wino_muls.get_total_flops() // 2,
    )


def _winograd_flops(
    inputs: torch.Size,
    kernel: torch.Size,
    bias: torch.Size | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    *args: object,
    out_shape: torch.Size,
) -> int:
    """Twice the multiplications of a conv, from the arguments of `torch.ops.aten.convolution` with shapes for tensors."""
    multiplications = prod(kernel) * inputs[0] * prod((inputs if transposed else out_shape)[2:])
    if tuple(kernel[2:]) == (3, 3) and not transposed and set(stride) == set(dilation) == {1}:
        multiplications = multiplications * 4 // 9
    return 2 * multiplications
