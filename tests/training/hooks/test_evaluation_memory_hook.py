"""The memory of a long test stays flat, and the hook notes it after 20 images and at the end."""

from types import SimpleNamespace

import pytest
import torch

from repvgg_seg.evaluation import StreetIoUMetric
from repvgg_seg.measure.process_memory import process_memory
from repvgg_seg.training.hooks import EvaluationMemoryHook, evaluation_memory_hook


def run(images, process=lambda: None):
    hook = EvaluationMemoryHook()
    hook.before_test_epoch(SimpleNamespace())
    for i in range(images):
        process()
        hook.after_test_iter(SimpleNamespace(), i, outputs=[None])
    hook.after_test_epoch(SimpleNamespace())
    return hook.figures


def test_when_it_is_noted(monkeypatch):
    """The process holds 1 MiB more with every image."""
    held = []
    monkeypatch.setattr(evaluation_memory_hook, 'process_memory', lambda: dict(resident=len(held) * 2**20))
    figures = run(25, lambda: held.append(None))
    assert figures == dict(resident_after_20_images=20, resident_at_end=25)


@pytest.mark.slow
@pytest.mark.skipif('resident' not in process_memory(), reason='this system does not tell the memory of a process')
def test_a_metric_keeps_no_tensors():
    metric = StreetIoUMetric(iou_metrics=['mIoU'])
    metric.dataset_meta = dict(classes=tuple('ab'))

    def process():
        labels = torch.zeros((1, 512, 1024), dtype=torch.long)
        metric.process({}, [dict(pred_sem_seg=dict(data=labels), gt_sem_seg=dict(data=labels))])

    figures = run(60, process)
    assert figures['resident_at_end'] < 1.05 * figures['resident_after_20_images'], figures
    assert figures['peak_resident_at_end'] >= figures['resident_at_end']
    assert not any(isinstance(area, torch.Tensor) for image in metric.results for area in image)
