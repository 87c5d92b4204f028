"""Cross entropy of up-sampled logits, computed on a few rows of the image at a time.

mmseg up-samples the logits of the whole batch, and cross entropy keeps as much again for the backward pass: at the size of the
image and with 19 classes more than the body of a small network keeps. The loss is a sum over pixels. So each strip of rows is
up-sampled, scored and taken back to the small logits at once, and only their gradient is kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.decode_heads import FCNHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss
from mmseg.registry import MODELS
from torch import Tensor
from torch.autograd.function import once_differentiable

from .up_sampling import linear_up_sampling
from .weighted_cross_entropy_loss import WeightedCrossEntropyLoss, weight_of_labels

# What the logits of a strip may hold: so that they stay in the caches of a processor, or keep a GPU busy.
STRIP_BYTES = {'cpu': 2**20}
STRIP_BYTES_ELSEWHERE = 2**25


class LossByStrips(BaseDecodeHead):
    """The loss and the accuracy of `BaseDecodeHead` with less memory, for heads that name this class before mmseg's.

    Losses, gradients and accuracy are those of mmseg, computed in fp32. It is used for one `CrossEntropyLoss` over softmax;
    every other loss, a sampler and torch.compile get mmseg's own way.
    """

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list[Any]) -> dict[str, Tensor]:
        """The loss, a scalar, and `acc_seg` in percent, (1,), from logits (N, C, h, w) and the labels in the samples."""
        if not self._takes_strips():
            return super().loss_by_feat(seg_logits, batch_data_samples)
        loss = self.loss_decode
        labels = self._stack_batch_gt(batch_data_samples).squeeze(1)
        with torch.autocast(seg_logits.device.type, enabled=False):
            # The width first, over the few rows that there are. Their up-sampling is a small product for each strip.
            wide = F.interpolate(
                seg_logits.float() if seg_logits.dtype in (torch.float16, torch.bfloat16) else seg_logits,
                size=(seg_logits.shape[2], labels.shape[2]),
                mode='bilinear',
                align_corners=self.align_corners,
            )
            value, correct = _CrossEntropyByStrips.apply(wide, labels, loss, self.ignore_index, self.align_corners)
        total = (labels != self.ignore_index).sum()
        tiny = torch.finfo(torch.float32).eps
        return {loss.loss_name: value, 'acc_seg': (correct[None] + tiny) * (100.0 / (total + tiny))}

    def _takes_strips(self) -> bool:
        loss = self.loss_decode
        return (
            type(loss) in (CrossEntropyLoss, WeightedCrossEntropyLoss)
            and not (loss.use_sigmoid or loss.use_mask)
            and (loss.class_weight is None or type(loss) is WeightedCrossEntropyLoss)
            and loss.reduction in ('mean', 'sum')
            and self.sampler is None
            and self.ignore_index is not None
            and not torch.compiler.is_compiling()
        )


@MODELS.register_module()
class StripLossFCNHead(LossByStrips, FCNHead):
    """`FCNHead` of mmseg with the same parameters, state dict and results, whose loss takes less memory."""


class _CrossEntropyByStrips(torch.autograd.Function):
    """Loss and number of right pixels, from logits (N, C, h, W) that have the width of the labels (N, H, W) already.

    The gradient is computed with the loss. It is that of the sum over pixels until the end, so that none is too small for
    half precision's scaled losses.
    """

    @staticmethod
    def forward(
        ctx: Any, wide: Tensor, labels: Tensor, loss: CrossEntropyLoss, ignore_index: int, align_corners: bool
    ) -> tuple[Tensor, Tensor]:
        matrix = _up_sampling(wide.shape[2], labels.shape[1], align_corners, wide.dtype, wide.device)
        limit = STRIP_BYTES.get(wide.device.type, STRIP_BYTES_ELSEWHERE)
        gradient = torch.zeros_like(wide) if ctx.needs_input_grad[0] else None
        total, correct = wide.new_zeros(()), wide.new_zeros(())
        for top, bottom, first, last in _strips(wide.shape, labels.shape[1], align_corners, limit):
            rows = wide[:, :, first:last].detach()
            of_strip = labels[:, top:bottom]
            with torch.enable_grad():
                rows.requires_grad_(gradient is not None)
                scores = matrix[top:bottom, first:last] @ rows
                value = loss(scores, of_strip, ignore_index=ignore_index, reduction_override='sum')
            total += value.detach()
            correct += ((scores.detach().argmax(1) == of_strip) & (of_strip != ignore_index)).sum()
            if gradient is not None:
                gradient[:, :, first:last] += torch.autograd.grad(value, rows)[0]
        divisor = _divisor(loss, labels, ignore_index, wide.dtype)
        if gradient is not None:
            ctx.save_for_backward(gradient.div_(divisor))
        ctx.mark_non_differentiable(correct)
        return total / divisor, correct

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_value: Tensor, of_correct: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * of_value, None, None, None, None


def _divisor(loss: CrossEntropyLoss, labels: Tensor, ignore_index: int, dtype: torch.dtype) -> Tensor | float:
    """What the sum over pixels is divided by, as mmseg's `weight_reduce_loss` does it."""
    number: Tensor | float
    if loss.reduction == 'sum':
        return 1.0
    if loss.class_weight is not None:
        weights = labels.new_tensor(loss.class_weight, dtype=dtype)
        number = weight_of_labels(weights, labels, ignore_index).sum()
    elif loss.avg_non_ignore:
        number = (labels != ignore_index).sum(dtype=dtype)
    else:
        number = labels.numel()
    return number + torch.finfo(torch.float32).eps


@lru_cache(maxsize=256)
def _strips(shape: torch.Size, height: int, align_corners: bool, limit: int) -> list[tuple[int, int, int, int]]:
    """Strips of the image, (top, bottom), each with the rows of the logits that it needs, (first, last)."""
    n, channels, small, width = shape
    step = max(1, limit // (4 * n * channels * width))
    needed = linear_up_sampling(small, height, align_corners) != 0
    strips = []
    for top in range(0, height, step):
        rows = needed[top : top + step].any(0).nonzero()
        strips.append((top, min(top + step, height), int(rows[0]), int(rows[-1]) + 1))
    return strips


@lru_cache(maxsize=256)
def _up_sampling(size: int, height: int, align_corners: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return linear_up_sampling(size, height, align_corners).to(device, dtype).contiguous()
