"""CrossEntropyLoss of mmseg for class weights and for heads of one logit, where mmseg's own fails."""

from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.losses import CrossEntropyLoss
from mmseg.models.losses.utils import weight_reduce_loss
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class WeightedCrossEntropyLoss(CrossEntropyLoss):
    """mmseg's `CrossEntropyLoss` with the same arguments, computed in fp32; differs where mmseg's fails.

    With `class_weight`, the mean is that of `torch.nn.functional.cross_entropy(..., weight=class_weight)`: weights of the
    pixels' classes add up to its divisor, and ignored pixels have none. mmseg raises IndexError for it with
    `avg_non_ignore=True`. With `use_sigmoid`, `class_weight` weighs the positive pixels of every class, as torch's
    `pos_weight` does (mmseg applies it to the columns of the image); for one logit it may also be two numbers, the weights
    of background and foreground. Where every pixel is ignored, the loss is 0.

    Args:
        kwargs: those of mmseg's `CrossEntropyLoss`; `class_weight` is a list of numbers, or a file that holds one.
    """

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: Tensor | float | None = None,
        reduction_override: str | None = None,
        ignore_index: int | None = -100,
        **kwargs: Any,
    ) -> Tensor:
        """The loss of logits (N, C, ...) for labels (N, ...), with a weight for each pixel (N, ...) where given."""
        scores = cls_score.float()
        ignored = -100 if ignore_index is None else ignore_index
        if self.use_sigmoid and label.dim() == scores.dim() - 1:
            return self._sigmoid_loss(scores, label, weight, avg_factor, reduction_override, ignored, **kwargs)
        if self.class_weight is None or self.use_sigmoid or self.use_mask:
            return super().forward(scores, label, weight, avg_factor, reduction_override, ignore_index, **kwargs)
        reduction = reduction_override or self.reduction
        class_weight = scores.new_tensor(self.class_weight)
        loss = F.cross_entropy(scores, label, class_weight, ignore_index=ignored, reduction='none')
        if avg_factor is None and reduction == 'mean':
            avg_factor = weight_of_labels(class_weight, label, ignored).sum()
        return self.loss_weight * weight_reduce_loss(loss, weight, reduction, avg_factor)

    def _sigmoid_loss(
        self,
        scores: Tensor,
        label: Tensor,
        weight: Tensor | None,
        avg_factor: Tensor | float | None,
        reduction_override: str | None,
        ignored: int,
        **kwargs: Any,
    ) -> Tensor:
        """mmseg's binary cross entropy, given class weights in the shape that it needs."""
        reduction = reduction_override or self.reduction
        if (label == ignored).all():
            nothing = 0 * (scores.squeeze(1) if scores.shape[1] == 1 else scores)
            return nothing if reduction == 'none' else nothing.sum()
        class_weight = None if self.class_weight is None else scores.new_tensor(self.class_weight)
        if class_weight is not None and scores.shape[1] == 1 and class_weight.numel() == 2:
            by_label = weight_of_labels(class_weight, label, ignored)
            weight = by_label if weight is None else weight * by_label
            class_weight = None
        elif class_weight is not None:
            class_weight = class_weight.view(-1, *[1] * (label.dim() - 1))
        loss = self.cls_criterion(
            scores,
            label,
            weight,
            class_weight=class_weight,
            reduction=reduction,
            avg_factor=avg_factor,
            avg_non_ignore=self.avg_non_ignore,
            ignore_index=ignored,
            **kwargs,
        )
        return self.loss_weight * loss


def weight_of_labels(class_weight: Tensor, label: Tensor, ignored: int) -> Tensor:
    """The weight of every pixel's class, 0 for ignored pixels."""
    kept = label != ignored
    return torch.where(kept, class_weight[label.where(kept, label.new_zeros(()))], class_weight.new_zeros(()))
