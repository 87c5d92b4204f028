"""Mixup: the mixed images and labels, and the distribution of the shares."""

import pytest
import torch

pytest.importorskip('kornia', minversion='0.9', reason='kornia 0.9 needs Python 3.11')
from repvgg_seg.data import ClassificationPreprocessor
from repvgg_seg.errors import InputError


def batch(n=6, size=16):
    images = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8)
    return dict(inputs=images, labels=torch.arange(n))


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


def test_a_kornia_without_the_generator(monkeypatch):
    """A newer kornia that keeps its generator elsewhere would go on to draw shares from its own distribution."""
    monkeypatch.setattr('kornia.__version__', '9.9.0')
    monkeypatch.setattr('kornia.augmentation.RandomMixUpV2', lambda **kwargs: torch.nn.Identity())
    with pytest.raises(InputError, match=r'_param_generator of RandomMixUpV2, which kornia 9\.9\.0 does not have'):
        ClassificationPreprocessor(mixup_alpha=0.2)
