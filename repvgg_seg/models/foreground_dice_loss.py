"""DiceLoss of mmseg for heads of one logit."""

from typing import Any

from mmseg.models.losses import DiceLoss
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class ForegroundDiceLoss(DiceLoss):
    """mmseg's `DiceLoss` with the same arguments for one logit, that of the foreground (class 1).

    mmseg compares the first channel with class 0, so that a head of one logit learns the background with it, against
    `CrossEntropyLoss` with `use_sigmoid` and against its threshold. As in mmseg, ignored pixels count as background.

    Args:
        kwargs: those of mmseg's `DiceLoss`.
    """

    def forward(self, pred: Tensor, target: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The loss of logits (N, 1, H, W) for labels (N, H, W) of 0, 1 and ignored ones."""
        return super().forward(pred, (target == 1).long().unsqueeze(1), *args, **kwargs)
