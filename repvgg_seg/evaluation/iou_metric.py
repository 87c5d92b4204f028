"""The IoU metric of mmseg, which also keeps the figures of every class and says why some are missing."""

from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from torch import Tensor

from ..errors import listed


@METRICS.register_module()
class StreetIoUMetric(IoUMetric):
    """`IoUMetric` that keeps the figures of every class from its last evaluation.

    Attributes:
        per_class: IoU and accuracy of every class in percent, `{class: {'IoU': ..., 'Acc': ...}}`; NaN for a class
            that neither the labels nor the predictions contain.
    """

    per_class: dict[str, dict[str, float]]

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """mmseg's counts of pixels for every image, kept as numbers.

        Small tensors among the large ones of an image keep the C library from giving memory back, megabytes with every image.
        """
        number = len(self.results)
        super().process(data_batch, data_samples)
        self.results[number:] = [tuple(area.tolist() for area in image) for image in self.results[number:]]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """mmseg's metrics in percent; the figures of every class go into `per_class`."""
        # Sums in float32, as mmseg adds, lose pixels above 2**24, and which ones depends on the order of the images.
        results = [tuple(torch.as_tensor(area, dtype=torch.float64) for area in image) for image in results or ()]
        metrics: dict[str, float] = super().compute_metrics(results)
        if not self.format_only:
            areas = [sum(area) for area in zip(*results, strict=True)]
            table = self.total_area_to_metrics(*areas, self.metrics, self.nan_to_num, self.beta)
            table.pop('aAcc')
            _explain_missing(areas[2], areas[3], self.dataset_meta['classes'])
            self.per_class = {
                name: {key: round(float(values[i]) * 100, 2) for key, values in table.items()}
                for i, name in enumerate(self.dataset_meta['classes'])
            }
        return metrics


def _explain_missing(predicted: Tensor, labelled: Tensor, classes: Sequence[str]) -> None:
    """Log why classes have no score, by the numbers of predicted and of labelled pixels of each class."""
    nowhere, unlabelled = (
        [
            name
            for name, pixels, label in zip(classes, predicted, labelled, strict=True)
            if not label and bool(pixels) is wrong
        ]
        for wrong in (False, True)
    )
    said = []
    if nowhere:
        said.append(f'no score for {listed(nowhere)}: in neither the labels nor the predictions')
    if unlabelled:
        said.append(f'an IoU of 0 and no Acc for {listed(unlabelled)}: in predictions and in no label')
    if said:
        rest = len(classes) - len(nowhere)
        print_log(f'{"; ".join(said)}; mIoU is the mean over {rest} of {len(classes)} classes', 'current')
