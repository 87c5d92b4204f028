"""Pictures drawn fast: those of mmseg, pixel for pixel."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from repvgg_seg.evaluation.fast_drawing import draw_fast

CLASSES = ('road', 'traffic light', 'a name with blanks', 'x')
PALETTE = [[9, 90, 200], [0, 255, 3], [77, 0, 130], [255, 255, 255]]


class Own(SegLocalVisualizer):
    """A visualizer of a user that draws as mmseg's does."""


class Different(SegLocalVisualizer):
    """A visualizer of a user that draws in a way of its own."""

    def _draw_sem_seg(self, image, *_, **__):
        return image // 2


def drawn(visualizer, labels, **options):
    """The picture that a visualizer hands to its backends for an image of noise."""
    kept = []
    visualizer.add_image = lambda name, image, step: kept.append(image)
    visualizer.dataset_meta = dict(classes=CLASSES, palette=PALETTE)
    sample = SegDataSample(pred_sem_seg=PixelData(data=labels), gt_sem_seg=PixelData(data=labels.clone() % 2))
    image = np.random.default_rng(0).integers(0, 256, (*labels.shape[-2:], 3), dtype=np.uint8)
    visualizer.add_datasample('name', image, sample, **options)
    return kept[0]


@pytest.mark.slow
@pytest.mark.parametrize('size', [(40, 60), (300, 420), (310, 257)])
@pytest.mark.parametrize('kind', [SegLocalVisualizer, Own])
@pytest.mark.parametrize('options', [{}, dict(with_labels=False)])
def test_the_picture_is_that_of_mmseg(size, kind, options, monkeypatch):
    labels = torch.randint(0, 6, (1, *(side // 20 + 1 for side in size)))  # two classes that nobody knows
    labels = labels.repeat_interleave(20, 1).repeat_interleave(20, 2)[:, : size[0], : size[1]].contiguous()
    theirs, ours = kind(alpha=0.7), kind(alpha=0.7)
    draw_fast(ours)
    expected = drawn(theirs, labels, **options)
    monkeypatch.setattr(SegLocalVisualizer, '_get_center_loc', None)  # the slow way is not taken
    assert np.array_equal(drawn(ours, labels, **options), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    'labels', [torch.zeros(1, 8, 8), torch.full((1, 8, 8), 3, dtype=torch.uint8), torch.full((1, 8, 8), 9)]
)
def test_one_class_alone_in_any_type(labels):
    ours = SegLocalVisualizer()
    draw_fast(ours)
    assert np.array_equal(drawn(ours, labels), drawn(SegLocalVisualizer(), labels.long()))


def test_visualizers_of_other_ways_stay(monkeypatch):
    for other in (Different(), Visualizer()):
        draw_fast(other)
        assert '_draw_sem_seg' not in vars(other)
    theirs = SegLocalVisualizer._draw_sem_seg
    changed = lambda self, *args: theirs(self, *args) // 2  # noqa: E731 (another version of mmseg)
    monkeypatch.setattr(SegLocalVisualizer, '_draw_sem_seg', changed)
    other = SegLocalVisualizer()
    draw_fast(other)
    assert '_draw_sem_seg' not in vars(other)
