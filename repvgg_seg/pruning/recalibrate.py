"""Gives what is left of a pruned network the means and variances that it had before."""

from collections.abc import Sequence

import torch
from mmseg.models import BaseSegmentor
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ..measure.watched import watched
from .measure_channels import Batch, Moments, forward, layers_of


@torch.no_grad()
def recalibrate(
    model: BaseSegmentor, before: Sequence[Moments], kept: Sequence[Tensor], batches: Sequence[Batch]
) -> None:
    """Let every channel of the backbone vary as before the removal, and measure all BN statistics of the model anew, in place.

    The inputs that are gone leave another mean and variance behind each conv, and the errors add up from layer to layer: without
    this step, a network of many layers computes next to nothing before it is fine-tuned.

    Args:
        model: after `put_bn_back`.
        before: of every layer of the backbone, what its conv gave before channels were removed.
        kept: numbers of the channels that stay, of every layer.
        batches: images, as the loader of the training makes them.
    """
    for block, moments, numbers in zip(layers_of(model.backbone), before, kept, strict=True):
        bn = block.rbr_dense.bn
        assert isinstance(bn, _BatchNorm)
        if moments.number:
            bn.weight.copy_((moments.variance[numbers] + bn.eps).sqrt())
            bn.bias.copy_(moments.mean[numbers])
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.running_mean is not None]
    found = [Moments(norm.num_features) for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()  # each layer reads what those before it give with their new statistics
    with watched(norms, [lambda _, maps, __, moments=moments: moments.add(maps[0]) for moments in found]):
        forward(model, batches)
    for norm, moments in zip(norms, found, strict=True):
        if moments.number:
            assert norm.running_mean is not None and norm.running_var is not None
            norm.running_mean.copy_(moments.mean)
            norm.running_var.copy_(moments.variance)
        norm.eval()
