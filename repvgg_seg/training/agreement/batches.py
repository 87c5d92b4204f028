"""Batch sizes, samplers and the loops that draw from them."""

import logging
from collections.abc import Sized
from typing import Any

from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm
from torch.utils.data import DataLoader

from ...errors import InputError
from ..sample_order_and_seeds import NumberedSampler


def check_sampler(loop: Any, loader: DataLoader, setting: str) -> None:
    """Compare a loop with the sampler of its loader.

    Raises:
        InputError: a loop over epochs, or over all images once, draws from an endless sampler.
    """
    sampler = _sampler_of(loader)
    if isinstance(sampler, InfiniteSampler) and (
        setting != 'train_dataloader' or isinstance(loop, EpochBasedTrainLoop)
    ):
        what = 'an epoch' if setting == 'train_dataloader' else 'it'
        raise InputError(
            f'{setting}.sampler is an InfiniteSampler, from which a {type(loop).__name__} draws without end: {what} would '
            f'never be over; set --cfg-options {setting}.sampler.type=DefaultSampler'
        )
    if setting == 'train_dataloader' and isinstance(sampler, DefaultSampler) and not sampler.shuffle:
        print_log(
            'train_dataloader.sampler.shuffle is False: every epoch has the images in the same order',
            'current',
            logging.WARNING,
        )


def _sampler_of(loader: DataLoader) -> Any:
    """The sampler of a loader, that of its batch sampler where it has one of its own."""
    sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
    return sampler.sampler if isinstance(sampler, NumberedSampler) else sampler


def check_batch_for_bn(model: nn.Module, loader: DataLoader, world_size: int) -> None:
    """Refuse batches of one image where a BN has one value per channel and image.

    The 1x1 bin of a pyramid, like the image pooling of an ASPP, has one value per channel and image, so the BN behind it
    needs two images in every batch, the last of an epoch included.

    Raises:
        InputError: a batch, or the last one of an epoch, would hold one image.
    """
    batch_size = loader.batch_size
    if batch_size is None or not _has_pooled_batch_norm(model, world_size):
        return
    if batch_size == 1:
        raise InputError(
            'one image per GPU in training: the 1x1 bin of the pyramid has one value per channel and BN needs two; '
            'set --cfg-options train_dataloader.batch_size=2 (a smaller crop where memory is short), '
            "or train on several GPUs with norm_cfg type 'SyncBN'"
        )
    sampler = loader.sampler
    if isinstance(sampler, InfiniteSampler) or not isinstance(sampler, Sized) or loader.drop_last:
        return
    if len(sampler) % batch_size == 1:
        raise InputError(
            f'the last batch of an epoch would hold one image ({len(sampler)} in batches of {batch_size}), '
            'too few for BN behind the 1x1 bin of the pyramid: set --cfg-options train_dataloader.drop_last=True'
        )


def _has_pooled_batch_norm(model: nn.Module, world_size: int) -> bool:
    """Whether a BN that learns, not synchronised between processes, follows a pooling to 1x1."""
    for module in model.modules():
        first = module[0] if isinstance(module, nn.Sequential) and len(module) else None
        if isinstance(first, nn.AdaptiveAvgPool2d) and first.output_size in (1, (1, 1)):
            norms = [m for m in module.modules() if isinstance(m, _BatchNorm)]
            if any(world_size == 1 or not isinstance(norm, SyncBatchNorm) for norm in norms):
                return True
    return False
