"""The classes that occur in what a run is trained on, counted until all have been seen or the first pass ends."""

import logging
import math
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from ...errors import listed


@HOOKS.register_module()
class ClassesSeenHook(Hook):
    """Warn once, after as many images as the training set has, of the classes that never occurred in a label.

    Labels are counted as the loader gives them, after crops and other augmentation, until every class has been seen.
    """

    def before_train(self, runner: Runner) -> None:
        loader = runner.train_dataloader
        classes = loader.dataset.metainfo['classes']
        self.seen = torch.zeros(len(classes), dtype=torch.bool)
        self.done = loader.batch_size is None
        images_of_step = (loader.batch_size or 1) * get_world_size()
        self.last = runner.iter + math.ceil(len(loader.dataset) / images_of_step) - 1

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Count before the model sees the batch: it pads the labels."""
        if self.done or bool(self.seen.all()) or not isinstance(data_batch, dict):
            return
        for sample in data_batch.get('data_samples', []):
            if 'gt_sem_seg' in sample:
                self.seen |= _occurring(sample.gt_sem_seg.data, len(self.seen)).cpu()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if self.done or runner.iter < self.last:
            return
        self.done = True
        seen = self.seen.to(dtype=torch.int64)
        all_reduce(seen)
        names = runner.train_dataloader.dataset.metainfo['classes']
        missing = [f'{name} ({i})' for i, name in enumerate(names) if not seen[i]]
        if missing:
            print_log(
                f'{len(missing)} of {len(names)} classes never occurred in the first {len(runner.train_dataloader.dataset)} '
                f'images of training: {listed(missing)}; the network cannot learn them',
                'current',
                logging.WARNING,
            )


def _occurring(label: Tensor, classes: int) -> Tensor:
    """Whether each class occurs in a label of any shape: (classes,) bool; all other values count at the ends of the bins."""
    return torch.bincount(label.long().flatten().clamp(-1, classes) + 1, minlength=classes + 2)[1:-1] > 0
