"""Classes that never occur in the first pass of training."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from repvgg_seg.training.hooks import ClassesSeenHook, classes_seen_hook


def batch(*values):
    data = torch.tensor([[values]], dtype=torch.uint8)
    return dict(inputs=[], data_samples=[SegDataSample(gt_sem_seg=PixelData(data=data))] * 2)


@pytest.mark.parametrize(
    'batches, said',
    [
        ([batch(0, 1), batch(2), batch(1)], []),  # 5 images in batches of 2: three iterations
        ([batch(0, 255), batch(2), batch(0), batch(1)], ['1 of 3 classes never occurred in the first 5 images of training: b (1)']),
        ([batch(0), batch(0)], []),  # the run ends before the pass
    ],
)  # fmt: skip
@pytest.mark.parametrize('start', [0, 7], ids=['new', 'resumed'])
def test_one_line_after_the_first_pass(monkeypatch, batches, said, start):
    lines = []
    monkeypatch.setattr(classes_seen_hook, 'print_log', lambda text, logger, level: lines.append(text))
    dataset = type('Data', (), {'metainfo': dict(classes='abc'), '__len__': lambda self: 5})()
    runner = SimpleNamespace(train_dataloader=SimpleNamespace(dataset=dataset, batch_size=2), iter=start)
    hook = ClassesSeenHook()
    hook.before_train(runner)
    for i, data in enumerate(batches):
        runner.iter = start + i
        hook.before_train_iter(runner, i, data)
        hook.after_train_iter(runner, i, data)
    assert [line.split(';')[0] for line in lines] == said
