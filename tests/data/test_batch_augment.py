"""Normalisation, AutoAugment and mixup on batches."""

import pytest
import torch

pytest.importorskip('kornia', minversion='0.9', reason='kornia 0.9 needs Python 3.11')
from kornia.augmentation.auto import AutoAugment

from repvgg_seg.data import ClassificationPreprocessor
from repvgg_seg.data.batch_augment import ImageNetAutoAugment
from repvgg_seg.errors import InputError


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


def test_mixup_by_hand():
    data = batch()
    out = ClassificationPreprocessor(mixup_alpha=1.0)(data, training=True)
    first, other, share = out['labels'].T
    assert torch.equal(first.long(), data['labels']) and sorted(other.tolist()) == first.tolist()
    assert len(share.unique()) == 1 and 0 < share[0] < 1
    plain = ClassificationPreprocessor()(data)['inputs']
    expected = (1 - share[0]) * plain + share[0] * plain[other.long()]
    torch.testing.assert_close(out['inputs'], expected)


def test_shares_of_mixup_come_from_beta():
    """Beta(0.2, 0.2) has mean 1/2 and variance 1/(4 * 1.4); the uniform distribution has 1/12."""
    mix = ClassificationPreprocessor(mixup_alpha=0.2)
    shares = torch.stack([mix(batch(2, 1), training=True)['labels'][0, 2] for _ in range(1500)])
    assert shares.mean().item() == pytest.approx(0.5, abs=0.04)
    assert shares.var().item() == pytest.approx(1 / 5.6, abs=0.01)


@pytest.mark.parametrize('alpha', [-1, 'a'])
def test_no_alpha(alpha):
    with pytest.raises(InputError, match=f'mixup_alpha must be positive, or None for no mixup, got {alpha!r}'):
        ClassificationPreprocessor(mixup_alpha=alpha)


def test_every_image_draws_its_own_policy():
    augment = ImageNetAutoAugment()
    assert len(augment.sub_policies) == 25
    marks = [lambda images, i=i: images + i for i in range(25)]
    for mark in marks:
        mark.to = lambda device, mark=mark: mark
    augment.sub_policies = marks
    out = augment(torch.zeros(2000, 3, 2, 2))
    drawn = out[:, 0, 0, 0]
    assert (out == drawn.view(-1, 1, 1, 1)).all()
    assert torch.bincount(drawn.long(), minlength=25).min() > 40  # 80 expected


def test_policies_are_kornias():
    """One image through each sub-policy, with the random state of kornia's own call."""
    kornias = list(AutoAugment('imagenet').children())
    for ours, theirs in zip(ImageNetAutoAugment().sub_policies, kornias, strict=True):
        image = torch.rand(1, 3, 16, 16)
        torch.manual_seed(1)
        expected = theirs(image)
        torch.manual_seed(1)
        assert torch.equal(ours(image), expected)


@torch.no_grad()
def test_a_step_is_taken_or_not():
    """Not blended in by a part: sub-policies 13 and 22 begin with Invert at 0.6."""
    invert = next(iter(ImageNetAutoAugment().sub_policies[13].children()))
    images = torch.rand(200, 3, 4, 4)
    out = invert(images)
    inverted = (out - (1 - images)).abs().flatten(1).amax(1) < 1e-6
    same = (out - images).abs().flatten(1).amax(1) < 1e-6
    assert (inverted | same).all() and 0.45 < inverted.float().mean() < 0.75


def test_mixed_precision_does_not_touch_it():
    augmenting, data = ClassificationPreprocessor(auto_augment=True), batch(32)
    torch.manual_seed(3)
    expected = augmenting(data, training=True)['inputs']
    torch.manual_seed(3)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(augmenting(data, training=True)['inputs'], expected)


def test_an_older_kornia(monkeypatch):
    monkeypatch.setattr('kornia.__version__', '0.8.3')
    with pytest.raises(InputError, match='need kornia 0.9 or newer .*, found 0.8.3: pip install'):
        ClassificationPreprocessor(mixup_alpha=0.2)


def test_values_stay_in_range_and_change():
    images = torch.rand(64, 3, 24, 24)
    out = ImageNetAutoAugment()(images)
    assert out.shape == images.shape and out.min() >= 0 and out.max() <= 1
    changed = (out != images).flatten(1).any(1).float().mean()
    assert changed > 0.7
