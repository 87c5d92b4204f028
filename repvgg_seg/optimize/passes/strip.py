"""Pass 'strip': what only training needs is taken out."""

from dataclasses import dataclass

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from ...models.classifier import RepVGGClassifier
from ..options import Options
from ..unread_maps import drop_unread_maps
from .pass_definition import Record


@dataclass(frozen=True)
class StripRecord(Record):
    """What was removed from the model.

    Args:
        auxiliary_head: whether auxiliary heads were removed.
        dropouts: number of dropout layers removed.
        losses: number of losses removed.
        feature_maps: number of feature maps that the backbone no longer returns.
    """

    auxiliary_head: bool
    dropouts: int
    losses: int
    feature_maps: int

    def __str__(self) -> str:
        said = ['auxiliary heads removed'] if self.auxiliary_head else []
        if self.dropouts:
            said.append(f'{self.dropouts} dropout layers removed')
        if self.losses:
            said.append(f'{self.losses} losses removed')
        if self.feature_maps:
            said.append(f'{self.feature_maps} feature maps that no head reads are no longer kept')
        return '; '.join(said)


def strip_training(model: nn.Module, options: Options) -> tuple[nn.Module, StripRecord | None]:
    """Remove auxiliary heads, dropout, losses, gradients, and the feature maps kept for a head that is gone; in place."""
    return _strip(model, options, drops_maps=True)


def strip_training_and_keep_maps(model: nn.Module, options: Options) -> tuple[nn.Module, StripRecord | None]:
    """As `strip_training`, with all feature maps, for a model that computes something else without those it does not read."""
    return _strip(model, options, drops_maps=False)


def _strip(model: nn.Module, options: Options, drops_maps: bool) -> tuple[nn.Module, StripRecord | None]:
    auxiliary_head = getattr(model, 'auxiliary_head', None) is not None
    if auxiliary_head:
        del model.auxiliary_head
    if isinstance(model, RepVGGClassifier):
        auxiliary_head = bool(model.drop_auxiliary())
    dropped = drop_unread_maps(model, options) if drops_maps else 0
    record = StripRecord(auxiliary_head, _remove_dropout(model), _remove_losses(model), dropped)
    model.requires_grad_(False)
    return model, record if record != StripRecord(False, 0, 0, 0) else None


def _remove_dropout(model: nn.Module) -> int:
    """Put an `nn.Identity` in the place of every dropout layer; returns their number."""
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
    """Remove the losses of every head; returns their number."""
    heads = [head for head in model.modules() if isinstance(head, BaseDecodeHead) and hasattr(head, 'loss_decode')]
    for head in heads:
        del head.loss_decode
    return len(heads)
