"""A batch that is drawn beside the data loader, whose sampler, workers and order of images stay untouched."""

import contextlib
import copy
from collections.abc import Sized
from typing import Any

from torch.utils.data import DataLoader, IterableDataset

from ...data.wrapped_datasets import with_wrappers

_SHARED = ('data_list', 'data_bytes', 'data_address')  # what mmengine's data sets hold about their files


def can_be_drawn_from(loader: Any) -> bool:
    """Whether items of the data set of a loader can be had by their index."""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return False
    return isinstance(loader.dataset, Sized) and len(loader.dataset) > 0


def copied_dataset(dataset: Any) -> Any:
    """A copy of a data set, whose transforms keep their own state; the lists of files are shared.

    A data set that cannot be copied, as one with an open file, is returned itself.
    """
    memo: dict[int, Any] = {}
    for inner in with_wrappers(dataset):
        for name in _SHARED:
            value = getattr(inner, name, None)
            if value is not None:
                memo[id(value)] = value
    with contextlib.suppress(Exception):
        return copy.deepcopy(dataset, memo)
    return dataset


def draw_batch(loader: DataLoader, dataset: Any) -> tuple[Any, int]:
    """One batch as a loader makes it, of images that are spread over the data set, and their number.

    Args:
        loader: the loader that the run uses; it is not iterated.
        dataset: its data set, or a copy of it.
    """
    size = loader.batch_size or getattr(loader.batch_sampler, 'batch_size', None) or 1
    items = [dataset[k * len(dataset) // size] for k in range(size)]
    return loader.collate_fn(items), size
