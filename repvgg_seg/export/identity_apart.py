"""Fused blocks whose identity branch stands apart again, so that 8 bits are enough for the rest of the kernel."""

import torch
from torch import Tensor, nn

from ..models.block import RepVGGBlock
from ..models.replace_module import replace_module


class IdentityApart(nn.Module):
    """A conv as itself without the diagonal at its centre, plus every channel times its element of that diagonal.

    The result is that of the conv. The identity branch of a block (paper, section 3.3) gives a fused kernel one weight in
    each output channel that is many times as large as the others. It would set the step of rounding for all of them.

    Args:
        conv: with stride 1, as many channels out as in, and maps of one size; its kernel is changed.
    """

    diagonal: Tensor

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.conv = conv
        rows = torch.arange(conv.out_channels)
        columns = rows % (conv.out_channels // conv.groups)
        row, column = (side // 2 for side in conv.kernel_size)
        kernel = conv.weight.detach().clone()
        diagonal = kernel[rows, columns, row, column].clone()
        kernel[rows, columns, row, column] = 0
        conv.weight = nn.Parameter(kernel, requires_grad=False)
        self.register_buffer('diagonal', diagonal[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        rest: Tensor = self.conv(x)
        return rest + self.diagonal * x


def set_identities_apart(network: nn.Module) -> None:
    """Take the identity out of the conv of every fused block that may have had that branch, in place."""
    for block in list(network.modules()):
        conv = getattr(block, 'rbr_reparam', None)
        if (
            isinstance(block, RepVGGBlock)
            and isinstance(conv, nn.Conv2d)
            and conv.in_channels == conv.out_channels
            and conv.stride == (1, 1)
        ):
            replace_module(network, conv, IdentityApart(conv))
