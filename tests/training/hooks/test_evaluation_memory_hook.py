"""The memory of a long test stays flat, and a metric that keeps what it sees is noticed."""

from types import SimpleNamespace

import pytest
import torch

from repvgg_seg.evaluation import StreetIoUMetric
from repvgg_seg.measure.process_memory import process_memory
from repvgg_seg.training.hooks import EvaluationMemoryHook


@pytest.mark.slow
@pytest.mark.skipif('resident' not in process_memory(), reason='this system does not tell the memory of a process')
@pytest.mark.parametrize('keeps', [False, True])
def test_memory_after_20_images_and_at_the_end(keeps):
    hook, metric, kept = EvaluationMemoryHook(), StreetIoUMetric(iou_metrics=['mIoU']), []
    metric.dataset_meta = dict(classes=tuple('ab'))
    hook.before_test_epoch(SimpleNamespace())
    for i in range(60):
        labels = torch.full((1, 512, 1024), i % 2)  # 4 MiB
        metric.process({}, [dict(pred_sem_seg=dict(data=labels), gt_sem_seg=dict(data=labels))])
        kept += [torch.ones(2**24)] if keeps and i > 56 else []  # 64 MiB, for which the allocator asks the system
        hook.after_test_iter(SimpleNamespace(), i, outputs=[None])
    hook.after_test_epoch(SimpleNamespace())
    early, end = (hook.figures[f'resident_{when}'] for when in ('after_20_images', 'at_end'))
    assert (end > early + 100) if keeps else (end < early * 1.05), hook.figures
    assert hook.figures['peak_resident_at_end'] >= end
