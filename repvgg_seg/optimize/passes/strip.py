"""Pass: what only training needs is taken out."""

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn
from torch.nn.modules.dropout import _DropoutNd


def strip_training(model: nn.Module, options) -> str:
    """Remove auxiliary heads, dropout, losses, gradients, and the feature maps kept for a head that is gone; in place."""
    said = []
    if getattr(model, 'auxiliary_head', None) is not None:
        del model.auxiliary_head
        said.append('auxiliary heads removed')
    if dropped := _remove_dropout(model):
        said.append(f'{dropped} dropout layers removed')
    if losses := _remove_losses(model):
        said.append(f'{losses} losses removed')
    if maps := _keep_one_feature_map(model):
        said.append(f'{maps} feature maps that no head reads are no longer kept')
    model.requires_grad_(False)
    return '; '.join(said)


def _remove_dropout(model: nn.Module) -> int:
    found = [
        (owner, name)
        for owner in model.modules()
        for name, child in owner.named_children()
        if isinstance(child, _DropoutNd)
    ]
    for owner, name in found:
        setattr(owner, name, nn.Identity())
    return len(found)


def _remove_losses(model: nn.Module) -> int:
    heads = [head for head in model.modules() if isinstance(head, BaseDecodeHead) and hasattr(head, 'loss_decode')]
    for head in heads:
        del head.loss_decode
    return len(heads)


def _keep_one_feature_map(model: nn.Module) -> int:
    """Let the backbone return the one map that the head reads, so that the others are freed as soon as they are used."""
    backbone, head = getattr(model, 'backbone', None), getattr(model, 'decode_head', None)
    outputs = getattr(backbone, 'out_indices', None)
    single = isinstance(head, BaseDecodeHead) and head.input_transform is None and isinstance(head.in_index, int)
    if not outputs or not single or getattr(model, 'neck', None) is not None or getattr(model, 'auxiliary_head', None):
        return 0
    backbone.out_indices = (outputs[head.in_index],)
    head.in_index = 0
    return len(outputs) - 1
