"""Fuses every RepVGG block in a model (paper, section 3.3)."""

import copy

from torch import nn

from ..errors import InputError
from .block import find_blocks, switch_to_deploy
from .classifier import RepVGGClassifier
from .model_wrappers import checked_model


def reparameterize_model(model: nn.Module, inplace: bool = False) -> nn.Module:
    """Fuse every RepVGG block of a model into one 3x3 conv; auxiliary classifiers, which only training uses, are left out.

    Args:
        model: any module that contains our blocks: a block, a backbone, a segmentor. Of a model that is wrapped for
            distributed training, the model inside is fused and returned.
        inplace: fuse the model itself. Otherwise it is unchanged and a copy is returned.

    Raises:
        InputError: `model` is no network, or it has no block in training form, or a block that cannot be fused; it is then
            unchanged.
    """
    model = checked_model(model)
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
    for module in fused.modules():
        if isinstance(module, RepVGGClassifier):
            module.drop_auxiliary()
    return fused
