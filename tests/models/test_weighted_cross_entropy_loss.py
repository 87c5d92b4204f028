import json

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

from repvgg_seg.models import WeightedCrossEntropyLoss

WEIGHTS = [1.0, 2.0, 0.5, 3.0]


def loss(scores, labels, ignore_index=255, weight=None, reduction_override=None, **kwargs):
    built = MODELS.build(dict(type='WeightedCrossEntropyLoss', **kwargs))
    return built(scores, labels, weight, ignore_index=ignore_index, reduction_override=reduction_override)


def scores_and_labels(classes=4, ignored=255):
    labels = torch.randint(classes, (2, 6, 4))  # as wide as there are classes, so that a wrong axis goes unnoticed
    labels[:, :2] = ignored
    return torch.randn(2, classes, 6, 4, requires_grad=True), labels


@pytest.mark.parametrize('ignored', [255, 0, 11])
@pytest.mark.parametrize('avg_non_ignore', [True, False])
@pytest.mark.parametrize('reduction', ['mean', 'sum', 'none'])
def test_the_value_and_gradient_of_torch(ignored, avg_non_ignore, reduction):
    scores, labels = scores_and_labels(ignored=ignored)
    found = loss(scores, labels, ignored, class_weight=WEIGHTS, avg_non_ignore=avg_non_ignore, reduction=reduction)
    expected = F.cross_entropy(scores, labels, torch.tensor(WEIGHTS), ignore_index=ignored, reduction=reduction)
    torch.testing.assert_close(found, expected)
    found_gradient, expected_gradient = (torch.autograd.grad(value.sum(), scores)[0] for value in (found, expected))
    torch.testing.assert_close(found_gradient, expected_gradient)


def test_by_hand():
    """Two pixels of weights 1 and 3 with losses log 2 and log 4, one ignored: (1 log 2 + 3 log 4) / (1 + 3)."""
    scores = torch.tensor([[[[0.0, torch.tensor(3.0).log(), 9.0]], [[0.0, 0.0, 0.0]]]])
    labels = torch.tensor([[[0, 1, 255]]])
    found = loss(scores, labels, class_weight=[1.0, 3.0], avg_non_ignore=True, loss_weight=0.5)
    assert found.item() == pytest.approx(0.5 * (torch.tensor(2.0).log() + 3 * torch.tensor(4.0).log()).item() / 4)


def test_weights_from_a_file(tmp_path):
    path = tmp_path / 'weights.json'
    path.write_text(json.dumps(WEIGHTS))
    scores, labels = scores_and_labels()
    from_file, given = (loss(scores, labels, class_weight=w, avg_non_ignore=True) for w in (str(path), WEIGHTS))
    assert torch.equal(from_file, given)


def test_pixels_that_a_sampler_leaves_out():
    """The weights of pixels multiply the losses; the divisor is that of all, as in mmseg."""
    scores, labels = scores_and_labels()
    kept = torch.rand(2, 6, 4).round()
    found = loss(scores, labels, weight=kept, class_weight=WEIGHTS, avg_non_ignore=True)
    each = F.cross_entropy(scores, labels, torch.tensor(WEIGHTS), ignore_index=255, reduction='none')
    divisor = torch.tensor([WEIGHTS[label] for label in labels.flatten() if label != 255]).sum()
    torch.testing.assert_close(found, (each * kept).sum() / divisor)


@pytest.mark.parametrize('kwargs', [dict(class_weight=WEIGHTS), dict(), dict(use_sigmoid=True, class_weight=WEIGHTS)])
def test_every_pixel_ignored(kwargs):
    scores, labels = scores_and_labels()
    found = loss(scores, torch.full_like(labels, 255), avg_non_ignore=True, **kwargs)
    assert found.item() == 0
    assert torch.autograd.grad(found, scores)[0].abs().max() == 0


def test_sigmoid_weighs_the_positive_pixels_of_a_class():
    scores, labels = scores_and_labels()
    found = loss(scores, labels, use_sigmoid=True, class_weight=WEIGHTS, avg_non_ignore=True)
    valid = labels != 255
    one_hot = F.one_hot(labels.where(valid, torch.tensor(0)), 4).float()[valid]
    expected = F.binary_cross_entropy_with_logits(
        scores.permute(0, 2, 3, 1)[valid], one_hot, pos_weight=torch.tensor(WEIGHTS)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('class_weight', [None, [2.0], [0.5, 2.0]])
def test_one_logit(class_weight):
    """One number weighs the foreground, two weigh background and foreground; every valid pixel counts once."""
    scores, labels = torch.randn(2, 1, 6, 4), scores_and_labels(2)[1]
    found = loss(scores, labels, use_sigmoid=True, class_weight=class_weight, avg_non_ignore=True)
    valid = labels != 255
    background, foreground = {None: (1, 1), 1: (1, 2), 2: (0.5, 2)}[class_weight and len(class_weight)]
    each = torch.where(labels == 1, -foreground * F.logsigmoid(scores[:, 0]), -background * F.logsigmoid(-scores[:, 0]))
    torch.testing.assert_close(found, each[valid].mean())


@pytest.mark.parametrize('reduction', ['mean', 'sum', 'none'])
def test_one_logit_without_a_labelled_pixel(reduction):
    labels = torch.full((2, 6, 4), 255)
    found = loss(torch.randn(2, 1, 6, 4), labels, use_sigmoid=True, reduction=reduction)
    assert found.abs().sum() == 0 and found.shape == (labels.shape if reduction == 'none' else ())


def test_weights_are_not_rounded_in_mixed_precision():
    scores, labels = scores_and_labels()
    weights = [0.8373, 0.918, 0.866, 1.0345]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = loss(scores.bfloat16(), labels, class_weight=weights, avg_non_ignore=True)
    expected = F.cross_entropy(scores.bfloat16().float(), labels, torch.tensor(weights), ignore_index=255)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('kwargs', [dict(), dict(use_sigmoid=True), dict(avg_non_ignore=True), dict(reduction='sum')])
def test_without_weights_it_is_that_of_mmseg(kwargs):
    scores, labels = scores_and_labels()
    theirs = MODELS.build(dict(type='CrossEntropyLoss', **kwargs))(scores, labels, ignore_index=255)
    assert torch.equal(loss(scores, labels, **kwargs), theirs)


def test_it_is_known_by_its_name():
    assert MODELS.get('WeightedCrossEntropyLoss') is WeightedCrossEntropyLoss
