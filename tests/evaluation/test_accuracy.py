"""Top-1 and top-5 by hand."""

import pytest
import torch

from repvgg_seg.evaluation import TopKAccuracy


def score(logits, labels, **kwargs):
    metric = TopKAccuracy(**kwargs)
    metric.process(
        None, [dict(logits=torch.tensor(row), label=torch.tensor(n)) for row, n in zip(logits, labels, strict=True)]
    )
    return metric.evaluate(len(labels))


def test_by_hand():
    logits = [[9.0, 1, 2, 3, 4, 5, 6]] * 4
    assert score(logits, [0, 6, 2, 1]) == {'top1': 25.0, 'top5': 50.0}  # ranks 1, 2, 6, 7
    assert score(logits, [0, 6, 2, 1], topk=(2, 6)) == {'top2': 50.0, 'top6': 75.0}


def test_fewer_classes_than_k():
    assert score([[1.0, 2.0], [2.0, 1.0]], [0, 0]) == {'top1': 50.0, 'top5': 100.0}


def test_no_number_is_no_hit():
    nan = float('nan')
    assert score([[nan] * 6, [1.0, nan, nan, nan, nan, nan]], [0, 0]) == {'top1': 0.0, 'top5': 0.0}


def test_a_network_that_says_the_same_of_everything():
    for value in (0.0, float('inf')):
        assert score([[value] * 6] * 6, range(6)) == {'top1': 0.0, 'top5': 0.0}
    assert score([[1.0, 1, 0, 0, 0, 0, 0]] * 2, [0, 6], topk=(1, 2)) == {'top1': 0.0, 'top2': 50.0}


def test_over_several_batches():
    metric = TopKAccuracy()
    for label in (0, 1, 2):
        metric.process(None, [dict(logits=torch.tensor([3.0, 2, 1]), label=torch.tensor(label))])
    assert metric.evaluate(3)['top1'] == pytest.approx(100 / 3)
