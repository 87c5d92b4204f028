import pytest
import torch

from repvgg_seg.models import ForegroundDiceLoss


def test_by_hand():
    """Probabilities 0.5 everywhere, two of four pixels are foreground: 1 - 2 * 1 / (4 * 0.25 + 2)."""
    labels = torch.tensor([[[1, 1], [0, 255]]])
    found = ForegroundDiceLoss(eps=0)(torch.zeros(1, 1, 2, 2), labels, ignore_index=255)
    assert found.item() == pytest.approx(1 - 2 / 3)


def test_the_foreground_is_learned():
    labels = torch.tensor([[[1, 1], [0, 0]]])
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    ForegroundDiceLoss()(logits, labels).backward()
    assert (logits.grad[0, 0, 0] < 0).all() and (logits.grad[0, 0, 1] > 0).all()
