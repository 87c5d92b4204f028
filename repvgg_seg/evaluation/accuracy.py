"""Top-1 and top-5 of a classifier."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS


@METRICS.register_module()
class TopKAccuracy(BaseMetric):
    """Percentage of images whose class is among the k most likely, `{'top1': ..., 'top5': ...}`.

    Args:
        topk: the values of k; with fewer classes than k, every image with finite logits counts as a hit.
        collect_device: where the results of several processes are collected, 'cpu' or 'gpu', as mmengine takes it.
    """

    default_prefix = ''  # the metrics keep their names

    def __init__(self, topk: Sequence[int] = (1, 5), collect_device: str = 'cpu'):
        super().__init__(collect_device)
        self.topk = tuple(topk)

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Note the rank of the right class of every image; a sample holds `logits` (classes,) and `label`, a number."""
        for sample in data_samples:
            logits, label = sample['logits'], sample['label']
            own = logits[label]
            # Ties count against the network: otherwise equal logits for every class would score 100%.
            rank = (~(logits < own)).sum() - 1 if own.isfinite() else len(logits)
            self.results.append(int(rank))

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        """The share of ranks below each k, in percent."""
        ranks = torch.tensor(results)
        return {f'top{k}': (ranks < k).float().mean().item() * 100 for k in self.topk}
