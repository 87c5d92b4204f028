"""Mixup of images and labels."""

from typing import Any

import torch
from torch import nn
from torch.distributions import Beta

from ..errors import InputError
from .kornia_import import import_kornia


def mixup_from_beta(alpha: float) -> nn.Module:
    """kornia's mixup, with the share drawn from Beta(alpha, alpha) as in the mixup paper; kornia draws it uniformly.

    Args:
        alpha: parameter of the Beta distribution, above 0.

    Returns:
        A module that takes images (N, 3, H, W) and labels (N,), and returns mixed images and labels (N, 3): the class,
        the class of the other image, and the share of the other image, which is the same for the whole batch.

    Raises:
        InputError: `alpha` is negative or not a number, or kornia is missing, too old, or too new for this function.
    """
    if not isinstance(alpha, (int, float)) or alpha < 0:
        raise InputError(f'mixup_alpha must be positive, or None for no mixup, got {alpha!r}')
    kornia = import_kornia()

    from kornia.augmentation.random_generator import MixupGenerator

    class BetaGenerator(MixupGenerator):
        """kornia's generator of the arguments of mixup, with shares from Beta(alpha, alpha)."""

        lambda_sampler: Any  # kornia's type is that of its uniform distribution

        def make_samplers(self, device: torch.device, dtype: torch.dtype) -> None:
            """Set the distribution of the shares."""
            super().make_samplers(device, dtype)
            self.lambda_sampler = Beta(*torch.full((2,), alpha, device=device, dtype=dtype))

    mixup = kornia.augmentation.RandomMixUpV2(same_on_batch=True, data_keys=['input', 'class'])
    # kornia has no public argument for the distribution of the share. Without this attribute the shares would stay uniform.
    if getattr(mixup, '_param_generator', None) is None:
        raise InputError(
            f'mixup_alpha needs the attribute _param_generator of RandomMixUpV2, which kornia {kornia.__version__} does not '
            'have: pip install "kornia==0.9.0"'
        )
    mixup._param_generator = BetaGenerator()
    return mixup
