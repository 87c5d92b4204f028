"""The order of the samples, which a resumed run takes up where it stood, and the random numbers that belong to each of them."""

import logging
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler

from ..random_states import seed_of


def seed_samples(loader: DataLoader, seed: int) -> None:
    """Let the random numbers of each sample depend on the seed of the run, the process, and the place of the sample in the order.

    They depend neither on the worker that loads it, nor on what was loaded before. The loader stays the object that it is; its batch
    sampler draws numbered indices, and its data set seeds the generators by them.

    Args:
        loader: of the training, before it is iterated.
        seed: of the run.
    """
    batch_sampler: Any = loader.batch_sampler
    dataset: Any = loader.dataset
    if isinstance(dataset, IterableDataset) or not isinstance(getattr(batch_sampler, 'sampler', None), Sampler):
        print_log(
            'the samples come from a loader without a sampler: a resumed run draws other ones than a run without a break',
            'current',
            logging.WARNING,
        )
        return
    batch_sampler.sampler = NumberedSampler(batch_sampler.sampler)
    dataset.__getitems__ = SeededItems(dataset, seed, get_rank())


def start_workers_anew(loop: BaseLoop) -> None:
    """Start the workers of a training loop again, with its data sets as they are now.

    mmengine up to 0.10.7 starts them when it builds an iteration-based loop, and what is done to the data sets after that
    does not reach them. Elsewhere there are none yet, and nothing is done.
    """
    batches: Any = getattr(loop, 'dataloader_iterator', None)
    if getattr(batches, '_iterator', None) is None:
        return
    loader: Any = loop.dataloader
    batches._iterator = loader._iterator = None  # without these two, the workers end
    sampler = getattr(loader.batch_sampler, 'sampler', None)
    if isinstance(sampler, NumberedSampler):
        sampler.start_at(0, 0)
    loop.dataloader_iterator = type(batches)(loader)


class NumberedIndex(int):
    """The index of a sample that knows its place in the order of the run."""

    place: int

    def __new__(cls, index: int, place: int) -> 'NumberedIndex':
        made = super().__new__(cls, index)
        made.place = place
        return made

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]
        return int(self), self.place


class NumberedSampler(Sampler):
    """A sampler that numbers what another one draws, and can start further on.

    Args:
        sampler: the other one; what else it offers is found here, too.
    """

    def __init__(self, sampler: Sampler):
        self.sampler = sampler
        self._passes, self._first = 0, 0

    def start_at(self, passes: int, first: int) -> None:
        """Set where the next pass begins.

        Args:
            passes: how many passes are done.
            first: how many samples of the next one are passed over; none of them is loaded.
        """
        self._passes, self._first = passes, first
        if isinstance(self.sampler, InfiniteSampler):  # a loop may have drawn from it when it was built
            self.sampler.indices = self.sampler._indices_of_rank()

    def __iter__(self) -> Iterator[Any]:
        first, self._first = self._first, 0
        before = self._passes * len(self)
        self._passes += 1
        for place, index in enumerate(islice(iter(self.sampler), first, None), before + first):
            yield NumberedIndex(int(index), place) if isinstance(index, (int, np.integer)) else index

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name == 'sampler':  # while it is being unpickled
            raise AttributeError(name)
        return getattr(self.sampler, name)


class SeededItems:
    """What a data loader of torch calls for the items of a batch: seeds the generators by the number of each.

    Args:
        dataset: whose items are loaded.
        seed: of the run.
        rank: number of the process.
    """

    def __init__(self, dataset: Any, seed: int, rank: int):
        self.dataset, self.seed, self.rank = dataset, seed, rank
        self._all_at_once = getattr(type(dataset), '__getitems__', None)

    def __call__(self, indices: list[Any]) -> list[Any]:
        if self._all_at_once is not None:
            self._seed(indices[0])
            return self._all_at_once(self.dataset, indices)
        return [self._item(index) for index in indices]

    def _item(self, index: Any) -> Any:
        return self.dataset[self._seed(index)]

    def _seed(self, index: Any) -> Any:
        if not isinstance(index, NumberedIndex):
            return index
        seed = seed_of('sample', self.seed, self.rank, index.place)
        random.seed(seed)
        np.random.seed(seed)
        torch.default_generator.manual_seed(
            seed
        )  # torch.manual_seed also walks over devices, which no pipeline draws on
        return int(index)


class SampleOrderHook(Hook):
    """Take up the order of the samples where a resumed run stands: within an epoch, too, and without loading what was drawn."""

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        loop, loader = runner.train_loop, runner.train_dataloader
        batch_sampler = loader.batch_sampler
        if type(batch_sampler) is not BatchSampler or not isinstance(batch_sampler.sampler, NumberedSampler):
            return
        sampler, size = batch_sampler.sampler, batch_sampler.batch_size
        if isinstance(loop, EpochBasedTrainLoop):
            done = loop.iter - loop.epoch * len(loader)
            sampler.start_at(loop.epoch, done * size if 0 <= done < len(loader) else 0)
        elif isinstance(loop, IterBasedTrainLoop) and loop.iter and not getattr(loop, 'fast_forward_on_resume', False):
            loop.dataloader_iterator = ResumedBatches(loader, sampler, loop.iter)


class ResumedBatches:
    """The batches of an iteration-based loop from an iteration on, in the place of mmengine's iterator.

    Args:
        loader: of the training.
        sampler: that of its batch sampler.
        done: iterations that are done.
    """

    def __init__(self, loader: DataLoader, sampler: NumberedSampler, done: int):
        self._loader, self._sampler = loader, sampler
        self._to_skip = done
        self._passes, inside = (0, done) if isinstance(sampler.sampler, InfiniteSampler) else divmod(done, len(loader))
        sampler.start_at(self._passes, inside * int(loader.batch_size or 1))
        self._batches: Iterator[Any] | None = None

    def skip_iter(self, iterations: int) -> None:
        """What onedl-mmengine calls to skip what is done: the sampler stands there already."""
        self._to_skip = 0

    def __iter__(self) -> 'ResumedBatches':
        return self

    def __next__(self) -> Any:
        if self._to_skip:  # mmengine asks once for each iteration that is done
            self._to_skip -= 1
            return None
        if self._batches is None:
            self._start_pass()
        try:
            return next(self._batches)  # type: ignore[arg-type]
        except StopIteration:
            self._passes += 1
            self._start_pass()
            return next(self._batches)  # type: ignore[arg-type]

    def _start_pass(self) -> None:
        if hasattr(self._sampler.sampler, 'set_epoch'):
            self._sampler.sampler.set_epoch(self._passes)
        self._batches = iter(self._loader)
