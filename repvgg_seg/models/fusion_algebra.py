"""The algebra of structural re-parameterization, on tensors alone (paper, section 3.3).

Every function is differentiable. Sums are computed in double precision for inputs of any precision, and
`fuse_branches` rounds once at the end.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_AT_A_TIME = 2**17  # numbers of a kernel that are fused at a time, in double precision: they stay in the cache


def fuse_conv_bn(
    kernel: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    conv_bias: Tensor | None = None,
    rows: slice = slice(None),
) -> tuple[Tensor, Tensor]:
    """A conv and the BN behind it as one conv (paper, Eq. 3).

    Args:
        kernel: (C_out, C_in / groups, k, k).
        running_mean, running_var, weight, bias: of the BN, (C_out,) each; weight and bias are None without affine.
        eps: of the BN.
        conv_bias: bias of the conv, (C_out,); None where it has none.
        rows: the output channels to compute; all by default.

    Returns:
        The kernel, of the same shape, and the bias (C_out,), both in double precision.
    """
    kernel, running_mean, running_var = kernel[rows], running_mean[rows], running_var[rows]
    weight, bias, conv_bias = (None if each is None else each[rows] for each in (weight, bias, conv_bias))
    scale = (running_var.double() + eps).rsqrt()
    if weight is not None:
        scale = scale * weight.double()
    mean = running_mean.double() if conv_bias is None else running_mean.double() - conv_bias.double()
    fused_bias = -mean * scale
    if bias is not None:
        fused_bias = fused_bias + bias.double()
    return kernel.double() * scale.reshape(-1, 1, 1, 1), fused_bias


def row_slices(kernel: Tensor) -> list[slice]:
    """The output channels of a kernel, a few at a time.

    To fuse a large kernel at once takes twice as long: several times its size in new memory is asked for.
    """
    number = max(1, _AT_A_TIME // max(1, kernel[0].numel()))
    return [slice(start, start + number) for start in range(0, len(kernel), number)]


def pad_to_3x3(kernel: Tensor) -> Tensor:
    """(C_out, C_in, 1 or 3, 1 or 3) -> (C_out, C_in, 3, 3): the same values in the middle, zeros around them."""
    rows, columns = ((3 - size) // 2 for size in kernel.shape[-2:])
    return F.pad(kernel, [columns, columns, rows, rows])


def identity_kernel(channels: int, groups: int, device: torch.device | str = 'cpu') -> Tensor:
    """The kernel, double precision (channels, channels / groups, 1, 1), of a grouped 1x1 conv that returns its input."""
    return torch.eye(channels // groups, dtype=torch.double, device=device).repeat(groups, 1)[..., None, None]


def fuse_branches(branches: list[tuple[Tensor, Tensor]], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The sum of parallel convs of one stride as one 3x3 conv, or as one 1x1 conv where no kernel is larger.

    Args:
        branches: kernel and bias of each conv, with kernels of 3x3, 1x3, 3x1 or 1x1.
        dtype: of the returned kernel and bias.
    """
    points = [kernel for kernel, _ in branches if kernel.shape[-2:] == (1, 1)]
    kernels = [pad_to_3x3(kernel) for kernel, _ in branches if kernel.shape[-2:] != (1, 1)]
    if points:
        point = sum(points[1:], points[0])
        kernels.append(pad_to_3x3(point) if kernels else point)
    biases = [bias for _, bias in branches]
    return sum(kernels[1:], kernels[0]).to(dtype), sum(biases[1:], biases[0]).to(dtype)
