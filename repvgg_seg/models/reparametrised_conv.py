"""3x3 convs whose kernel is computed from their parameters in every forward pass (paper, sections 2.3 and 4.2, Table 7)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .dilated_conv import DilatedConv2d
from .fusion_algebra import identity_kernel, pad_to_3x3


class _ReparametrisedConv(DilatedConv2d):
    """A 3x3 conv without bias, of as many input as output channels and stride 1, so that there is an identity kernel."""

    def kernel(self) -> Tensor:
        """The kernel that is used, (C_out, C_in / groups, 3, 3); differentiable."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.kernel(), None)

    def _identity(self) -> Tensor:
        identity = identity_kernel(self.out_channels, self.groups, self.weight.device)
        return pad_to_3x3(identity.to(self.weight.dtype))


class IdentityPlusConv(_ReparametrisedConv):
    """Trivial re-parametrisation: the kernel is I + W."""

    def kernel(self) -> Tensor:
        return self._identity() + self.weight


class DiracConv(_ReparametrisedConv):
    """DiracNet's: the kernel is diag(a) I + diag(b) W_norm, where every filter of W_norm has the length 1.

    `alpha` and `beta` are a and b, which begin at 1 and 0.1.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.alpha = nn.Parameter(torch.ones(self.out_channels))
        self.beta = nn.Parameter(torch.full((self.out_channels,), 0.1))

    def kernel(self) -> Tensor:
        filters = F.normalize(self.weight.flatten(1)).view_as(self.weight)
        return self.alpha.view(-1, 1, 1, 1) * self._identity() + self.beta.view(-1, 1, 1, 1) * filters


# By `BlockSpec.kernel`, which is 'plain' for all others.
CONVS: dict[str, type[nn.Conv2d]] = dict(plus_identity=IdentityPlusConv, dirac=DiracConv)


def kernel_of(conv: nn.Conv2d) -> Tensor:
    """The kernel that a conv uses."""
    return conv.kernel() if isinstance(conv, _ReparametrisedConv) else conv.weight
