"""Random batch norm, so that a comparison of two forms sees what a wrong rewrite does."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def randomise_bn(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every BN random statistics, weights and biases of both signs, in place.

    As built, a BN is almost the identity, and most wrong fusions give the right results.

    Args:
        model: a model on the CPU.
        seed: seed of the random numbers.

    Returns:
        The model itself.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            if module.running_mean is not None and module.running_var is not None:
                module.running_mean.normal_(0, 0.5, generator=generator)
                module.running_var.uniform_(0.5, 2, generator=generator)
            if module.affine:
                module.weight.normal_(0, 1, generator=generator)
                module.bias.normal_(0, 0.5, generator=generator)
    return model
