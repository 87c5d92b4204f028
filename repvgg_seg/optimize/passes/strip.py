"""Pass 'strip': what only training needs is taken out."""

from dataclasses import dataclass

from mmseg.models import decode_heads
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from ...models.folded_psp_head import FoldedPSPHead
from ...models.repvgg import RepVGG
from ..options import Options
from .pass_definition import Record

# Heads that read the feature map of their `in_index` and no other. A head of another kind may read several, whatever its
# `in_index` says: DepthwiseSeparableASPPHead takes the first one besides.
_READ_ONE_MAP = (
    decode_heads.APCHead,
    decode_heads.ASPPHead,
    decode_heads.CCHead,
    decode_heads.DAHead,
    decode_heads.DMHead,
    decode_heads.DNLHead,
    decode_heads.EMAHead,
    decode_heads.FCNHead,
    decode_heads.GCHead,
    decode_heads.ISAHead,
    decode_heads.NLHead,
    decode_heads.PSAHead,
    decode_heads.PSPHead,
    decode_heads.SETRUPHead,
    FoldedPSPHead,
)
_READING_METHODS = ('forward', '_forward_feature', '_transform_inputs', 'predict')


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
    auxiliary_head = getattr(model, 'auxiliary_head', None) is not None
    if auxiliary_head:
        del model.auxiliary_head
    record = StripRecord(auxiliary_head, _remove_dropout(model), _remove_losses(model), _keep_one_feature_map(model))
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


def _keep_one_feature_map(model: nn.Module) -> int:
    """Let the backbone return the one map that the head reads, so that the others are freed as soon as they are used.

    Returns:
        The number of maps that are no longer returned.
    """
    backbone, head = getattr(model, 'backbone', None), getattr(model, 'decode_head', None)
    outputs = getattr(backbone, 'out_indices', None)
    if backbone is None or head is None or not outputs or not _reads_one_map(head):
        return 0
    if getattr(model, 'neck', None) is not None or getattr(model, 'auxiliary_head', None) is not None:
        return 0
    if isinstance(backbone, RepVGG):
        backbone.out_channels = (backbone.out_channels[head.in_index],)
    backbone.out_indices = (outputs[head.in_index],)
    head.in_index = 0
    return len(outputs) - 1


def _reads_one_map(head: nn.Module) -> bool:
    """Whether a head is known to read one feature map alone."""
    return (
        isinstance(head, BaseDecodeHead)
        and head.input_transform is None
        and isinstance(head.in_index, int)
        and any(_has_methods_of(type(head), known, _READING_METHODS) for known in _READ_ONE_MAP)
    )


def _has_methods_of(cls: type, base: type, names: tuple[str, ...]) -> bool:
    """Whether a class has these methods of `base` and overrides none of them."""
    return all(getattr(cls, name, None) is getattr(base, name, None) for name in names)
