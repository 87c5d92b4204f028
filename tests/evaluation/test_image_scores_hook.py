import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from PIL import Image
from seg_data import write_data

from repvgg_seg.evaluation import ImageScoresHook
from repvgg_seg.evaluation.image_scores_hook import confusion_counts, mean_iou


def test_counts_by_hand():
    label = torch.tensor([[0, 0, 1], [1, 255, 7]])
    predicted = torch.tensor([[0, 1, 1], [1, 0, 0]])
    counts = confusion_counts(predicted, label, 2, 255)
    assert counts.tolist() == [[1, 1], [0, 2]]
    assert mean_iou(counts) == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert mean_iou(confusion_counts(predicted, label, 3, 255)) == mean_iou(counts)  # class 2 is nowhere
    assert confusion_counts(predicted, label, 2, 0).tolist() == [[0, 0], [0, 2]]
    assert mean_iou(torch.zeros(2, 2, dtype=torch.int64)) is None


def run(hook, root, wrong, labels=True):
    """Test images whose label is class 1 everywhere; `wrong` pixels of each are predicted as class 0."""
    dataset = DATASETS.build(
        dict(type='BaseSegDataset', data_root=str(root), img_suffix='.png', data_prefix=dict(img_path='images/train'),
             metainfo=dict(classes=('a', 'b'), palette=[[10, 20, 30], [200, 100, 0]]))
    )  # fmt: skip
    evaluator = SimpleNamespace(metrics=[SimpleNamespace(ignore_index=255)])
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset), test_evaluator=evaluator)
    hook.before_test(runner)
    for i, number in enumerate(wrong):
        predicted = torch.ones(1, 12, 16, dtype=torch.int64)
        predicted.view(-1)[:number] = 0
        sample = SegDataSample(metainfo=dict(img_path=dataset.get_data_info(i)['img_path']))
        sample.pred_sem_seg = PixelData(data=predicted)
        if labels:
            sample.gt_sem_seg = PixelData(data=torch.ones(1, 12, 16, dtype=torch.int64))
        hook.after_test_iter(runner, i, None, [sample])
    hook.after_test_epoch(runner)


def test_the_worst_and_the_best_images_are_kept(tmp_path):
    root = write_data(tmp_path / 'data', names='abcdef')
    folder = tmp_path / 'examples'
    folder.mkdir()
    hook = ImageScoresHook(str(folder), examples=1)
    run(hook, root, [48, 0, 96, 24, 12, 6])
    assert hook.confusion == [[0, 0], [186, 6 * 192 - 186]]
    # Class 0 is in the prediction alone and has an IoU of 0, class 1 has the share that is right.
    assert hook.scores['a'] == pytest.approx(100 * 0.75 / 2, abs=0.01) and hook.scores['b'] == 100
    index = json.loads((folder / 'examples.json').read_text())
    assert [(e['kind'], e['name'], e['mIoU']) for e in index['examples']] == [
        ('worst', 'c', 25.0),
        ('best', 'b', 100.0),
    ]
    assert index['palette'] == [[10, 20, 30], [200, 100, 0]] and index['classes'] == ['a', 'b']
    drawn = np.array(Image.open(folder / index['examples'][0]['prediction']))
    assert drawn[0, 0].tolist() == [10, 20, 30] and drawn[-1, -1].tolist() == [200, 100, 0]
    assert Image.open(folder / index['examples'][0]['photograph']).size == (16, 12)


def test_without_labels_nothing_is_scored(tmp_path):
    hook = ImageScoresHook()
    run(hook, write_data(tmp_path, names='a'), [3], labels=False)
    assert hook.confusion is None and hook.scores == {}
