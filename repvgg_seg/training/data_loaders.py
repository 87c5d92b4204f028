"""Settings of the data loaders that depend on the machine and on the number of images."""

import inspect
import math
from collections.abc import Sized
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmengine.registry import DATA_SAMPLERS
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from torch.utils.data import DataLoader

from ..errors import InputError
from ..evaluation.accuracy import TopKAccuracy
from ..evaluation.prediction_files import class_of, metrics_of
from .distributed import number_of_processes


def fit_loaders(cfg: Config) -> None:
    """Remove what a loader cannot have: workers that persist where there are none, pinned memory without a GPU."""
    for loader in filter(None, map(cfg.get, ('train_dataloader', 'val_dataloader', 'test_dataloader'))):
        if not loader.get('num_workers'):
            loader.pop('persistent_workers', None)
            loader.pop('prefetch_factor', None)
        if not torch.cuda.is_available():
            loader.pop('pin_memory', None)


def evaluate_each_image_once(cfg: Config) -> None:
    """Let several processes validate and test each image once, and collect the results without a folder that all of them share.

    mmengine's `DefaultSampler` repeats images until all processes have as many. Its metrics cut the results that are too many,
    which is right for those that keep one result for each image, while files and pictures of these images are written twice.

    Args:
        cfg: with `launcher`; a `round_up` and a `collect_device` of its own stay.
    """
    if number_of_processes(cfg) == 1:
        return
    for stage in ('val', 'test'):
        sampler = (cfg.get(f'{stage}_dataloader') or {}).get('sampler')
        if isinstance(sampler, dict) and class_of(sampler, DATA_SAMPLERS) is DefaultSampler:
            sampler.setdefault('round_up', False)
        for metric in metrics_of(cfg.get(f'{stage}_evaluator')):
            if isinstance(metric, dict) and _has_small_results(class_of(metric, METRICS)):
                metric.setdefault('collect_device', 'gpu')  # through the process group, also on a CPU
    print_log(f'each of {number_of_processes(cfg)} processes validates and tests its share of the images', 'current')


def _has_small_results(cls: Any) -> bool:
    """Whether a metric keeps a few numbers for each image, and lets one say how they are collected."""
    if not (inspect.isclass(cls) and issubclass(cls, (IoUMetric, TopKAccuracy))):
        return False
    return 'collect_device' in inspect.signature(cls).parameters


def check_shared(loader: DataLoader, setting: str) -> None:
    """Refuse a sampler that gives images to several processes at a time, whose results would be counted twice.

    Args:
        loader: of a validation or a test.
        setting: its name in the config.

    Raises:
        InputError: a process gets more images than its share.
    """
    sampler, processes = getattr(loader.batch_sampler, 'sampler', loader.sampler), get_world_size()
    if processes == 1 or isinstance(sampler, InfiniteSampler) or not isinstance(sampler, Sized):
        return
    images = len(loader.dataset)  # type: ignore[arg-type]  # those that mmengine evaluates have a length
    if len(sampler) > math.ceil(images / processes):
        raise InputError(
            f'{setting}.sampler: {type(sampler).__name__} gives each of {processes} processes {len(sampler)} of {images} '
            'images, so that some would be counted twice: set it to dict(type="DefaultSampler", shuffle=False)'
        )


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
