"""Heads that compute what ours compute as mmseg does, to compare the two."""

from mmseg.models.decode_heads import FCNHead, PSPHead
from torch import nn

from .folded_psp_head import FoldedPSPHead
from .loss_by_strips import StripLossFCNHead
from .replace_module import replace_module
from .take_over import take_over


def unfold_heads(model: nn.Module) -> bool:
    """Let mmseg's own heads compute what our heads in training form compute, in place; whether one was a `FoldedPSPHead`."""
    heads = list(model.modules())
    for head in heads:
        if isinstance(head, StripLossFCNHead):
            replace_module(model, head, take_over(FCNHead, head))
    folded = [head for head in heads if isinstance(head, FoldedPSPHead) and not head.deploy]
    for head in folded:
        replace_module(model, head, take_over(PSPHead, head))
    return bool(folded)
