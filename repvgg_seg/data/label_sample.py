"""A look at some labels of a data set before training: which classes occur in them, and why others do not."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import mmengine.dataset
import numpy as np
from PIL import Image

from ..random_states import kept_random_states
from .checked_pipeline import all_steps, is_foreign, run_step
from .label_checks import check_form, label_values
from .step_errors import loads_labels, name_of_step

_MOST = 200  # labels
_SECONDS = 2.0
_GOLDEN = 0.6180339887498949  # its multiples, without their whole parts, are spread evenly wherever one stops
_RAW = 20  # files whose own values are read to find a cause


@dataclass
class LabelSample:
    """What was found in some labels of a data set.

    Attributes:
        values: how many of the labels hold each value, as the data set loads them.
        first: the file in which each value was found first.
        paths: all files that were read, each once, in that order.
        total: labels of the data set.
    """

    total: int
    values: dict[int, int] = field(default_factory=dict)
    first: dict[int, str] = field(default_factory=dict)
    paths: dict[str, None] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """The number of labels that were read."""
        return len(self.paths)

    def add(self, label: np.ndarray, path: str) -> None:
        """Count one label, unless it has been counted before."""
        if path in self.paths:
            return
        self.paths[path] = None
        for value in label_values(label).tolist():
            self.values[value] = self.values.get(value, 0) + 1
            self.first.setdefault(value, path)

    def classes(self, ignored: tuple[int, ...]) -> list[int]:
        """The values that occur, without those that are ignored."""
        return sorted(set(self.values) - set(ignored))


def sample_labels(dataset: Any, most: int = _MOST, seconds: float = _SECONDS) -> LabelSample:
    """Read labels, evenly spread, by the data set's own loading steps, which are copied: the run sees nothing of it.

    Args:
        dataset: of mmengine, with a pipeline.
        most: labels to read.
        seconds: after which no more are read.

    Raises:
        InputError: a label cannot be read, or is not one channel of numbers.
    """
    start = time.monotonic()
    sample = LabelSample(len(dataset))
    read_until(dataset, sample, lambda: sample.read >= most or (sample.read > 0 and time.monotonic() - start > seconds))
    return sample


def read_until(dataset: Any, sample: LabelSample, done: Callable[[], bool]) -> None:
    """Add labels of a data set to a sample, evenly spread, until it is said to do, or all are read."""
    read = label_reader(dataset)
    if read is None:
        return
    with kept_random_states():  # steps of others may draw
        for index in spread(len(dataset)):
            if done():
                return
            info = dataset.get_data_info(index)
            if str(info.get('seg_map_path')) in sample.paths:
                continue
            results = read(info)
            if results is not None and 'gt_seg_map' in results:
                path = str(results.get('seg_map_path', index))
                check_form(results['gt_seg_map'], len(dataset.metainfo['classes']), path)
                sample.add(results['gt_seg_map'], path)


def spread(number: int) -> Iterator[int]:
    """All of 0 ... number - 1, each once, in an order whose every beginning is spread evenly."""
    seen = np.zeros(number, bool)
    for i in range(2 * number):
        index = int(i * _GOLDEN % 1 * number)
        if not seen[index]:
            seen[index] = True
            yield index
    yield from np.flatnonzero(~seen).tolist()


def why_missing(sample: LabelSample, dataset: Any, ignored: tuple[int, ...]) -> str:
    """What the files themselves show of why classes do not occur, with the way out; an empty string if nothing."""
    raw = _raw_values(list(sample.paths)[:_RAW])
    if not raw:
        return ''
    held = f'the files hold the values {sorted(raw)}' if len(raw) < 8 else f'the files hold {len(raw)} values'
    if len(raw) == 1:
        return f'{held} alone: look at how they were exported'
    last = len(dataset.metainfo['classes']) - 1
    if getattr(dataset, 'reduce_zero_label', False) and 0 in raw and max(raw - {255}) == last:
        return f'{held}, and reduce_zero_label=True makes 0 ignored, 1 class 0 and so on: where 0 is a class, set it to False'
    if raw == {0, 255} and 255 in ignored:
        return (
            f'{held}, and 255 is ignored: where it means class 1, convert the masks, each by '
            "Image.fromarray((numpy.asarray(Image.open(path)) > 0).astype('uint8')).save(path)"
        )
    if 0 not in raw and 0 not in sample.values and not getattr(dataset, 'reduce_zero_label', False):
        return f'{held}: where the classes are counted from 1, set reduce_zero_label=True of the data set'
    if getattr(dataset, 'label_map', None):
        return f'{held}; metainfo.classes leaves the other classes of {type(dataset).__name__} out'
    return ''


def has_labels(dataset: Any) -> bool:
    """Whether the pipeline of a data set loads labels; where only steps of others may do so, the first item shows it.

    Raises:
        InputError: a step of others fails at the first item.
    """
    read = label_reader(dataset)
    if read is None or _loads_annotations(dataset) or not len(dataset):
        return read is not None
    with kept_random_states():
        return 'gt_seg_map' in (read(dataset.get_data_info(0)) or {})


def _loads_annotations(dataset: Any) -> bool:
    return any(map(loads_labels, all_steps(dataset.pipeline.transforms)))


def label_reader(dataset: Any) -> Callable[[dict], dict | None] | None:
    """How the label of an item is read: by its loading step alone, or by all steps but the last where others change it."""
    pipeline = getattr(dataset, 'pipeline', None)
    if not isinstance(pipeline, mmengine.dataset.Compose):
        return None
    steps = list(all_steps(pipeline.transforms))
    loaders = [i for i, step in enumerate(steps) if loads_labels(step)]
    if not loaders and not any(map(is_foreign, steps)):
        return None
    if loaders and not any(map(is_foreign, steps[loaders[0] :])):
        wanted, place = steps[loaders[0] : loaders[0] + 1], loaders[0]
    else:
        wanted, place = pipeline.transforms, 0
        wanted = wanted[: next((i for i, step in enumerate(wanted) if name_of_step(step).startswith('Pack')), None)]
    own = copy.deepcopy(wanted)
    where = getattr(getattr(pipeline, 'checks', None), 'place', 'pipeline')

    def read(info: dict) -> dict | None:
        results: Any = info
        for i, step in enumerate(own):
            results = run_step(step, f'{where}.{place + i}', results)
            if results is None:
                return None
        return results

    return read


def _raw_values(paths: list[str]) -> set[int]:
    """The values in label files of one channel, as they are stored."""
    values: set[int] = set()
    for path in paths:
        try:
            with Image.open(path) as image:
                array = np.asarray(image)
        except Exception:  # a format of which Pillow knows nothing
            return set()
        if array.ndim != 2:
            return set()
        values |= set(np.unique(array).tolist())
    return values
