"""The data sets inside `ConcatDataset`, `RepeatDataset` and other wrappers, in configs and built."""

from collections.abc import Iterator
from typing import Any

from mmengine.dataset import BaseDataset


def inner_configs(dataset: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The configs of the data sets that a config holds, itself where it wraps none."""
    inner = dataset.get('datasets') or ([dataset['dataset']] if 'dataset' in dataset else [])
    for part in inner:
        yield from inner_configs(part)
    if not inner:
        yield dataset


def inner_datasets(dataset: Any) -> Iterator[Any]:
    """The data sets that a built one holds, in their order, each once; itself where it wraps none."""
    return (one for one in with_wrappers(dataset) if not wrapped_by(one))


def with_wrappers(dataset: Any) -> Iterator[Any]:
    """A built data set and those inside it, each once, the outer ones first."""
    seen: list[Any] = []
    left = [dataset]
    while left:
        one = left.pop(0)
        if not any(one is other for other in seen):
            seen.append(one)
            left = [*wrapped_by(one), *left]
    return iter(seen)


def wrapped_by(dataset: Any) -> list[Any]:
    """The data sets that a wrapper of mmengine, mmseg or torch holds itself."""
    if isinstance(dataset, BaseDataset):  # whatever it holds, it lists its images itself
        return []
    attributes = getattr(dataset, '__dict__', {})
    # `_dataset` is that of mmengine's wrapper for `num_batch_per_epoch`.
    found = [attributes.get('dataset'), attributes.get('_dataset')]
    return [*(attributes.get('datasets') or ()), *(one for one in found if one is not None)]


def is_segmentation(dataset: Any) -> bool:
    """Whether a data set is one of mmseg, or like one: its labels have values that are ignored."""
    return hasattr(dataset, 'ignore_index') and hasattr(dataset, 'metainfo')
