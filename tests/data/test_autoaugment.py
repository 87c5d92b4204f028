"""AutoAugment on batches: a sub-policy for each image, applied as kornia applies it."""

import pytest
import torch

pytest.importorskip('kornia', minversion='0.9', reason='kornia 0.9 needs Python 3.11')
from kornia.augmentation.auto import AutoAugment

from repvgg_seg.data.autoaugment import ImageNetAutoAugment


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


def test_values_stay_in_range_and_change():
    images = torch.rand(64, 3, 24, 24)
    out = ImageNetAutoAugment()(images)
    assert out.shape == images.shape and out.min() >= 0 and out.max() <= 1
    changed = (out != images).flatten(1).any(1).float().mean()
    assert changed > 0.7
