"""oneDNN's grouped 1x1 conv with a kernel packed in advance, which torch has as private operators only."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor

PACKED_FOR = 256


def pack_kernel(kernel: Tensor, groups: int) -> Tensor:
    """A kernel (C_out, C / groups, 1, 1) of a 1x1 conv in the layout that oneDNN wants for `PACKED_FOR` pixels."""
    return torch.ops.mkldnn._reorder_convolution_weight(
        kernel, [0, 0], [1, 1], [1, 1], groups, [1, kernel.shape[1] * groups, PACKED_FOR, 1]
    )


def unpack_kernel(packed: Tensor) -> Tensor:
    """A packed kernel as an ordinary tensor."""
    return packed.to_dense()


def conv_1x1(x: Tensor, packed: Tensor, groups: int) -> Tensor:
    """The 1x1 conv of x (N, C, H, W) with a packed kernel, (N, C_out, H, W)."""
    return torch.ops.mkldnn._convolution_pointwise(x, packed, None, [0, 0], [1, 1], [1, 1], groups, 'none', [], '')


@lru_cache(maxsize=1)
def is_available() -> bool:
    """Whether these operators are there and compute what torch's conv computes, tried once on a small case.

    Where they are not, a line in the log says so.
    """
    if not torch.backends.mkldnn.is_available():
        reason = 'this torch has no oneDNN'
    else:
        try:
            if _computes_the_conv():
                return True
            reason = "they do not compute what torch's conv does"
        except (AttributeError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
    print_log(f"convs are not computed by Winograd's algorithm, which needs operators of oneDNN: {reason}", 'current')
    return False


def _computes_the_conv() -> bool:
    """Whether both operators agree with torch's own conv on a case of whole numbers."""
    with torch.inference_mode():
        x = torch.arange(1.0, 21).reshape(1, 4, 5, 1)
        kernel = torch.arange(-6.0, 6).reshape(6, 2, 1, 1)
        expected = F.conv2d(x, kernel, groups=2)
        packed = pack_kernel(kernel, groups=2)
        return torch.equal(unpack_kernel(packed), kernel) and torch.allclose(conv_1x1(x, packed, groups=2), expected)
