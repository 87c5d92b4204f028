"""Puts BN back behind the convs of a fused segmentor, so that it can be trained on."""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from mmseg.models import BaseSegmentor
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import InputError
from .measure_channels import Batch, layers_of, moments_of_convs


@torch.no_grad()
def put_bn_back(model: BaseSegmentor, batches: Sequence[Batch]) -> None:
    """Build the backbone of a fused segmentor anew, in place, of blocks of the kind 'plain': a 3x3 conv and BN.

    The statistics of the BN are those of the outputs of the conv on images. Its weight and bias are the standard deviation and the
    mean that it divides out, with the bias of the fused conv, so that the network computes the same as before.

    Args:
        model: with a RepVGG in deploy form; its `norm_cfg` is the norm that comes back.
        batches: images, as the loader of the training makes them.

    Raises:
        InputError: the norm is no BN with weights and running statistics; nothing is changed then.
    """
    backbone = model.backbone
    norm = build_norm_layer(backbone.norm_cfg or dict(type='BN'), backbone.plans[0].out_channels)[1]
    if not (isinstance(norm, _BatchNorm) and norm.affine and norm.running_mean is not None):
        raise InputError(
            f'norm_cfg of the backbone makes {norm}, which cannot stand behind a fused conv and leave its output as it is: it has '
            "to be BN or SyncBN with weights and running statistics, such as dict(type='SyncBN')"
        )
    fused, moments = layers_of(backbone), moments_of_convs(model, batches)
    parameter = next(backbone.parameters())
    backbone.rebuild(backbone.arch, 'plain')
    backbone.to(parameter.device, parameter.dtype)
    for block, source, moment in zip(layers_of(backbone), fused, moments, strict=True):
        conv, bn = block.rbr_dense.conv, block.rbr_dense.bn
        bias = source.rbr_reparam.bias
        assert isinstance(bn, _BatchNorm) and bias is not None and bn.running_mean is not None
        without_bias = moment.mean - bias.double().cpu()
        conv.weight.copy_(source.rbr_reparam.weight)
        bn.running_mean.copy_(without_bias)
        bn.running_var.copy_(moment.variance)  # type: ignore[union-attr]
        # From the rounded statistics, which are those that BN uses.
        bn.weight.copy_((bn.running_var.double() + bn.eps).sqrt())  # type: ignore[union-attr]
        bn.bias.copy_(bn.running_mean.double() + bias.double())
        for name in ('se', 'post_se'):
            if getattr(source, name) is not None:
                getattr(block, name).load_state_dict(getattr(source, name).state_dict())
    backbone.eval()
