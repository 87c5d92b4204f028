"""Linear up-sampling of one dimension as a matrix."""

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def linear_up_sampling(size: int, target: int, align_corners: bool) -> Tensor:
    """The matrix (target, size), in double on the CPU, by which `torch.nn.functional.interpolate` goes from size to target."""
    units = torch.eye(size, dtype=torch.double, device='cpu')[None]
    return F.interpolate(units, size=target, mode='linear', align_corners=align_corners)[0].t()
