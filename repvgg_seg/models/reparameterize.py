"""Fusing whatever holds RepVGG blocks (paper, section 3.3)."""

import copy

from torch import nn

from ..errors import InputError
from .block import find_blocks, switch_to_deploy, unwrap_model


def reparameterize_model(model: nn.Module, inplace: bool = False) -> nn.Module:
    """Fuse every RepVGG block of a model into one 3x3 conv.

    Args:
        model: anything that contains our blocks: a block, a backbone, a segmentor; also wrapped for distributed
            training, in which case the model inside is what is fused and returned.
        inplace: fuse the model itself. Otherwise it stays as it is and a copy is returned.

    Raises:
        InputError: nothing in it can be fused, or a norm is no BN; the model is then unchanged.
    """
    model = unwrap_model(model)
    blocks = find_blocks(model)
    if not blocks:
        raise InputError(
            f'nothing to fuse in this {type(model).__name__}: it has no RepVGG block in training form '
            '(it may be fused already)'
        )
    for block in blocks:
        block.check_fusible()
    fused = model if inplace else copy.deepcopy(model)
    switch_to_deploy(fused)
    return fused
