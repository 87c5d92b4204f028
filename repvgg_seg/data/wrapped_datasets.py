"""The data sets inside `ConcatDataset`, `RepeatDataset` and other wrappers, in configs and built."""

from collections.abc import Iterator
from typing import Any


def inner_configs(dataset: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The configs of the data sets that a config holds, itself where it wraps none."""
    inner = dataset.get('datasets') or ([dataset['dataset']] if 'dataset' in dataset else [])
    for part in inner:
        yield from inner_configs(part)
    if not inner:
        yield dataset


def inner_datasets(dataset: Any) -> Iterator[Any]:
    """The data sets that a built one holds, in their order; itself where it wraps none."""
    inner = getattr(dataset, 'datasets', None) or ([dataset.dataset] if hasattr(dataset, 'dataset') else [])
    for part in inner:
        yield from inner_datasets(part)
    if not inner:
        yield dataset
