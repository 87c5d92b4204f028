"""Gives a segmentor the widths of a pruned checkpoint, before its weights are loaded."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.logging import print_log
from mmseg.models import BaseSegmentor
from torch import nn

from ..weight_names import sort_weights
from .archs import arch_name
from .block import find_blocks
from .head_inputs import keep_inputs
from .match_checkpoint import is_fused, recognise_arch, recognise_block
from .repvgg import RepVGG


def take_widths(model: nn.Module, backbone: RepVGG, checkpoint: Mapping[str, Any]) -> bool:
    """Build the backbone and the inputs of the heads anew, in place, if a checkpoint is a pruned form of this model.

    That is one whose layers have widths of their own, none of them above those of the model, while all else is the same. Any other
    is left to `repvgg_seg.models.match_checkpoint.match`, which refuses it. Of a pruned checkpoint, the kind of block is taken
    over as well.

    Args:
        model: a segmentor, or the backbone itself.
        backbone: that of the model.
        checkpoint: a state dict, or a dict that holds one.

    Returns:
        Whether the model was changed. Its weights are random then.

    Raises:
        InputError: a head reads more channels than there are, in a way that is not known.
    """
    if model is not backbone and not isinstance(model, BaseSegmentor):
        return False
    weights = sort_weights(checkpoint)
    found = recognise_arch(weights.backbone) if weights else None
    if weights is None or found is None or not found.is_narrower_than(backbone.arch):
        return False
    fused, own = is_fused(weights.backbone), backbone.plans[0].block
    block = recognise_block(weights.backbone, own)
    if block is None:  # `match` says so
        return False
    parameter = next(backbone.parameters())
    backbone.rebuild(found, own if fused else block, deploy=fused or not find_blocks(backbone))
    backbone.to(parameter.device, parameter.dtype).train(backbone.training)
    backbone.init_cfg = None
    for head in heads_with_index(model):
        channels = backbone.out_channels[head.in_index]
        if channels != head.in_channels:
            keep_inputs(head, torch.arange(channels))
    print_log(f'the checkpoint was pruned, and the model takes its widths over: {arch_name(found)}', 'current')
    return True


def heads_of(model: nn.Module) -> list[Any]:
    """The decode heads and auxiliary heads of a segmentor."""
    found: list[Any] = []
    for name in ('decode_head', 'auxiliary_head'):
        heads = getattr(model, name, None)
        found += heads if isinstance(heads, nn.ModuleList) else [heads] if isinstance(heads, nn.Module) else []
    return found


def heads_with_index(model: nn.Module) -> list[Any]:
    """The heads of a segmentor without a neck that read one feature map of the backbone each."""
    if getattr(model, 'neck', None) is not None:
        return []
    return [head for head in heads_of(model) if isinstance(getattr(head, 'in_index', None), int)]
