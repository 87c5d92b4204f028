"""What a test set and its metrics need from each other, checked before anything is predicted."""

import os.path as osp
from collections import Counter
from collections.abc import Iterable
from typing import Any

from mmcv.transforms import LoadAnnotations
from mmseg.datasets.transforms import LoadAnnotations as LoadSegAnnotations
from mmseg.evaluation import CityscapesMetric, IoUMetric

from ..data.checked_pipeline import is_foreign, steps_in
from ..data.wrapped_datasets import inner_datasets
from ..errors import InputError
from ..invocation import as_typed


def check_test_set(dataset: Any, metrics: Iterable[Any]) -> None:
    """Check that labels can be there for a metric that compares with labels, and that files keep apart where it writes them.

    Args:
        dataset: the data set that is tested, also a wrapper around others.
        metrics: those of the test.

    Raises:
        InputError: a data set has no labels, or mmseg's `CityscapesMetric` would mix up images.
    """
    for metric in metrics:
        if isinstance(metric, IoUMetric) and not metric.format_only:
            for part in inner_datasets(dataset):
                _check_labels(part, type(metric).__name__)
        elif isinstance(metric, CityscapesMetric):
            _check_base_names(dataset, type(metric).__name__)


def _check_labels(dataset: Any, metric: str) -> None:
    if not hasattr(dataset, 'get_data_info') or not len(dataset):
        return
    steps = list(steps_in(getattr(dataset, 'pipeline', None)))
    loaders = [step for step in steps if isinstance(step, LoadAnnotations)]
    path = dataset.get_data_info(0).get('seg_map_path')
    if loaders and all(type(step) is LoadSegAnnotations for step in loaders):
        remote = getattr(dataset, 'backend_args', None) or '://' in str(path)
        why = '' if path and (remote or osp.isfile(path)) else f'no label of the first image ({path})'
    else:
        # A step of somebody else's may make labels.
        known = steps and not any(map(is_foreign, steps))
        why = 'no step of its pipeline loads labels' if known and not loaders else ''
    if why:
        raise InputError(
            f'{metric} compares predictions with labels, and the test set has none: {why}; give {type(dataset).__name__} its '
            f'labels, or none: {as_typed("test")} CONFIG CHECKPOINT --out DIR --format-only'
        )


def _check_base_names(dataset: Any, metric: str) -> None:
    paths = [part.get_data_info(i)['img_path'] for part in inner_datasets(dataset) for i in range(len(part))]
    name, times = Counter(osp.splitext(osp.basename(path))[0] for path in paths).most_common(1)[0]
    if times > 1:
        raise InputError(
            f'{metric} names predictions after the base names of their images, and {times} images are called {name}: it would '
            'score the last of them only; use StreetIoUMetric, which writes no files'
        )
