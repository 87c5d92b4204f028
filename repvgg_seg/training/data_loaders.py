"""Settings of the data loaders that depend on the machine and on the number of images."""

from collections.abc import Sized

import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from torch.utils.data import DataLoader

from ..errors import InputError


def fit_loaders(cfg: Config) -> None:
    """Remove what a loader cannot have: workers that persist where there are none, pinned memory without a GPU."""
    for loader in filter(None, map(cfg.get, ('train_dataloader', 'val_dataloader', 'test_dataloader'))):
        if not loader.get('num_workers'):
            loader.pop('persistent_workers', None)
            loader.pop('prefetch_factor', None)
        if not torch.cuda.is_available():
            loader.pop('pin_memory', None)


def check_whole_batch(loader: DataLoader) -> None:
    """Refuse a loader that drops parts of a batch and has no whole one in an epoch.

    Raises:
        InputError: a process has fewer images than a batch.
    """
    sampler = loader.sampler
    if len(loader) == 0 and isinstance(sampler, Sized) and not isinstance(sampler, InfiniteSampler):
        raise InputError(
            f'{len(sampler)} images for each process make no batch of {loader.batch_size}: '
            'set a smaller --cfg-options train_dataloader.batch_size=N, or name a data set with more images'
        )
