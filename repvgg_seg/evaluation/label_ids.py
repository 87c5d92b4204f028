"""Which numbers the predictions of a data set are written with."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from cityscapesscripts.helpers.labels import name2label
from mmseg.datasets import CityscapesDataset

from ..errors import InputError


def official_ids(dataset: Any) -> np.ndarray | None:
    """The official Cityscapes id of every class of a data set, (classes,), as the server of Cityscapes wants them.

    None for any other data set, and where a class has a name that Cityscapes does not know.
    """
    if not isinstance(dataset, CityscapesDataset):
        return None
    return ids_of_classes(dataset.metainfo.get('classes') or ())


def ids_of_classes(classes: Iterable[str]) -> np.ndarray | None:
    """The official Cityscapes id of every class, (classes,); None where one has a name that Cityscapes does not know."""
    ids = [name2label[name].id if name in name2label else -1 for name in classes]
    return np.array(ids) if ids and min(ids) >= 0 else None


def label_numbers(labels: np.ndarray, dataset: Any, official: bool = True) -> np.ndarray:
    """A prediction as it is written: 8 bits a pixel, or 16 where there are more than 256 classes.

    Args:
        labels: class numbers, (H, W).
        dataset: the data set of the image; None where none is known.
        official: write official ids for Cityscapes. Otherwise, and for other data sets, these are class numbers, counted
            from 1 with `reduce_zero_label`, as the label files count.

    Raises:
        InputError: there are more classes in the prediction than in the data set.
    """
    ids = official_ids(dataset) if official else None
    if ids is None:
        numbers = labels.astype(np.int64) + bool(getattr(dataset, 'reduce_zero_label', False))
    elif labels.max() < len(ids):
        numbers = ids[labels.astype(np.int64)]
    else:
        raise InputError(
            f'class {labels.max()} is predicted, and the data set has {len(ids)}: give the model as many classes'
        )
    return numbers.astype(np.uint8 if numbers.max() < 256 else np.uint16)
