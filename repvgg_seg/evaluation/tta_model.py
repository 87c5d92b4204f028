"""Test-time augmentation: the mean of the probabilities that a segmentor gives for every view of an image."""

from collections.abc import Sequence

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor


@MODELS.register_module()
class MeanProbabilityTTAModel(SegTTAModel):
    """mmseg's `SegTTAModel` with the same arguments, right for heads of one logit as well.

    mmseg's segmentors hand out logits of several classes, but of one logit the probability. `SegTTAModel` takes the sigmoid
    of that once more, which is above 0.5 everywhere.
    """

    def merge_preds(self, data_samples_list: Sequence[Sequence[SegDataSample]]) -> list[SegDataSample]:
        """One prediction for each image from those of its views.

        Args:
            data_samples_list: for every image the predictions of its views, flipped and resized back to (C, H, W).

        Returns:
            Samples with `pred_sem_seg` (1, H, W), and in `seg_logits` what a segmentor would hand out: the logarithm of the
            mean probabilities (C, H, W), or for one logit the mean probability (1, H, W).
        """
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: Sequence[SegDataSample]) -> SegDataSample:
        merged = views[0]
        mean = torch.zeros_like(merged.seg_logits.data)
        for view in views:
            mean += _probabilities(view.seg_logits.data) / len(views)
        if len(mean) == 1:
            labels = (mean > self._threshold()).to(mean)
            logits = mean
        else:
            labels = mean.argmax(dim=0, keepdim=True)
            logits = mean.clamp_min(torch.finfo(mean.dtype).tiny).log()
        merged.set_data({'seg_logits': PixelData(data=logits), 'pred_sem_seg': PixelData(data=labels)})
        return merged

    def _threshold(self) -> float:
        """The probability above which a pixel is foreground, of the head that predicts (the last one of a cascade)."""
        head = self.module.decode_head
        return head.threshold if hasattr(head, 'threshold') else head[-1].threshold


def _probabilities(logits: Tensor) -> Tensor:
    """Of what mmseg's segmentors hand out as `seg_logits`: logits of several channels, the probability of one."""
    return logits.softmax(dim=0) if len(logits) > 1 else logits
