"""Classes without a score, and why."""

import math

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from repvgg_seg.evaluation import StreetIoUMetric, iou_metric


@pytest.mark.parametrize(
    'label, predicted, line',
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], None),
        (
            [0, 1, 1, 255],
            [0, 1, 0, 3],
            'no score for c, d: in neither the labels nor the predictions; mIoU is the mean over 2 of 4 classes',
        ),
        (
            [0, 1, 1, 255],
            [0, 1, 2, 3],
            'no score for d: in neither the labels nor the predictions; '
            'an IoU of 0 and no Acc for c: in predictions and in no label; mIoU is the mean over 3 of 4 classes',
        ),
        ([255] * 4, [0, 1, 2, 3], 'no score for a, b, c, d: in neither the labels nor the predictions; mIoU is the mean over 0 of 4 classes'),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings('ignore:Mean of empty slice')
def test_why_a_class_has_no_score(monkeypatch, label, predicted, line):
    said = []
    monkeypatch.setattr(iou_metric, 'print_log', lambda text, logger: said.append(text))
    metric = StreetIoUMetric(iou_metrics=['mIoU'])
    metric.dataset_meta = dict(classes=tuple('abcd'))
    sample = SegDataSample(
        gt_sem_seg=PixelData(data=torch.tensor([[label]])), pred_sem_seg=PixelData(data=torch.tensor([[predicted]]))
    )
    metric.process({}, [sample.to_dict()])
    metric.evaluate(1)
    assert said == ([line] if line else [])
    unscored = [name for name, figures in metric.per_class.items() if math.isnan(figures['IoU'])]
    assert len(unscored) == (0 if line is None else 4 - int(line.split(' of 4')[0].split()[-1]))


def test_many_classes_without_a_score_take_one_short_line(monkeypatch):
    said = []
    monkeypatch.setattr(iou_metric, 'print_log', lambda text, logger: said.append(text))
    classes = [f'class {i}' for i in range(150)]
    iou_metric._explain_missing(torch.zeros(150), torch.zeros(150), classes)
    assert (
        said[0].startswith('no score for class 0, class 1, ')
        and '(146 more): in neither' in said[0]
        and len(said[0]) < 200
    )


def test_pixels_above_what_float32_counts_are_not_lost():
    """2**25 pixels are right, and one in each of 2**12 further images is wrong; 2**25 + 1 is 2**25 in float32."""
    metric = StreetIoUMetric(iou_metrics=['mIoU'])
    metric.dataset_meta = dict(classes=('a',))
    areas = [(2.0**25,) * 4, *[(0.0, 1.0, 0.0, 1.0)] * 2**12]
    metric.compute_metrics([tuple(map(torch.tensor, ([area] for area in image))) for image in areas])
    assert metric.per_class['a']['Acc'] == 99.99  # of 100 * 2**25 / (2**25 + 2**12)
