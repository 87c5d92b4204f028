"""The IoU metric of mmseg, which also keeps the figures of every class."""

from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS


@METRICS.register_module()
class StreetIoUMetric(IoUMetric):
    """`IoUMetric` that keeps the figures of every class from its last evaluation.

    Attributes:
        per_class: IoU and accuracy of every class in percent, `{class: {'IoU': ..., 'Acc': ...}}`; NaN for a class
            that neither the labels nor the predictions contain.
    """

    per_class: dict[str, dict[str, float]]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """mmseg's metrics in percent; the figures of every class go into `per_class`."""
        metrics: dict[str, float] = super().compute_metrics(results)
        if not self.format_only:
            areas = [sum(area) for area in zip(*results, strict=True)]
            table = self.total_area_to_metrics(*areas, self.metrics, self.nan_to_num, self.beta)
            table.pop('aAcc')
            self.per_class = {
                name: {key: round(float(values[i]) * 100, 2) for key, values in table.items()}
                for i, name in enumerate(self.dataset_meta['classes'])
            }
        return metrics
