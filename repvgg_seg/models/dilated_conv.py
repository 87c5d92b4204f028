"""A dilated conv whose training is not slow on processors without AVX-512."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# oneDNN's kernels for AVX2 compute three columns at a time and take no more of padding on the left. Beyond that it falls back
# on a forward pass several times as slow; what it does in the backward pass is fast with any padding.
_MOST_COLUMNS = 3


class DilatedConv2d(nn.Conv2d):
    """`nn.Conv2d`, with the same results and gradients, that pads its input itself where oneDNN is slow at it in training."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.training and torch.is_grad_enabled() and bias is None and self._is_slow(input, weight):
            padded: Tensor = _PaddedBeforehand.apply(
                input, weight, self.stride, self.padding, self.dilation, self.groups
            )
            return padded
        return super()._conv_forward(input, weight, bias)

    def _is_slow(self, x: Tensor, weight: Tensor) -> bool:
        return (
            not isinstance(self.padding, str)
            and self.padding[1] > _MOST_COLUMNS
            and self.padding_mode == 'zeros'
            and torch.backends.cpu.get_cpu_capability() == 'AVX2'
            and isinstance(x, Tensor)  # and no proxy, by which torch.fx traces
            and x.device.type == 'cpu'
            and (x.dtype, weight.dtype) == (torch.float32, torch.float32)
            and not torch.is_autocast_enabled('cpu')
            and not torch.compiler.is_compiling()
        )


class _PaddedBeforehand(torch.autograd.Function):
    """A conv of padded columns, of which the input as it came is kept; its gradients are those of the conv that pads itself."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        stride: tuple[int, int],
        padding: tuple[int, int],
        dilation: tuple[int, int],
        groups: int,
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.options = stride, padding, dilation, groups
        rows, columns = padding
        return F.conv2d(F.pad(x, (columns, columns)), weight, None, stride, (rows, 0), dilation, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.options
        needed = [*ctx.needs_input_grad[:2], False]
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            gradients[0], x, weight, None, stride, padding, dilation, False, [0, 0], groups, needed
        )
        return of_x, of_weight, None, None, None, None
