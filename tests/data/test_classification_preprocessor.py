"""Normalisation of batches, and what augmentation must not touch."""

import pytest
import torch

pytest.importorskip('kornia', minversion='0.9', reason='kornia 0.9 needs Python 3.11')
from repvgg_seg.data import ClassificationPreprocessor


def batch(n=6, size=16):
    images = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8)
    return dict(inputs=images, labels=torch.arange(n))


def test_normalised_with_the_mean_and_deviation_of_imagenet():
    data = batch()
    out = ClassificationPreprocessor()(data, training=True)
    assert torch.equal(out['labels'], data['labels'])
    for channel, (mean, std) in enumerate(((123.675, 58.395), (116.28, 57.12), (103.53, 57.375))):
        expected = (data['inputs'][:, channel].float() - mean) / std
        torch.testing.assert_close(out['inputs'][:, channel], expected)


def test_evaluation_is_not_augmented():
    data = batch()
    augmenting = ClassificationPreprocessor(auto_augment=True, mixup_alpha=0.2)
    out, expected = augmenting(data), ClassificationPreprocessor()(data)
    assert torch.equal(out['inputs'], expected['inputs']) and torch.equal(out['labels'], expected['labels'])


def test_nothing_of_it_is_the_networks():
    """kornia's AutoAugment has parameters; an optimizer or a checkpoint must not see them."""
    augmenting = ClassificationPreprocessor(auto_augment=True, mixup_alpha=0.2)
    augmenting(batch(), training=True)
    assert not list(augmenting.parameters()) and not augmenting.state_dict()


def test_mixed_precision_does_not_touch_it():
    augmenting, data = ClassificationPreprocessor(auto_augment=True), batch(32)
    torch.manual_seed(3)
    expected = augmenting(data, training=True)['inputs']
    torch.manual_seed(3)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(augmenting(data, training=True)['inputs'], expected)
