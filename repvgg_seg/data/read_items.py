"""Read every image and label of a data set, as its pipeline reads them, in several processes; what each shows is kept."""

import copy
import hashlib
import multiprocessing
import os.path as osp
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from rich.progress import track

from ..errors import InputError, listed
from ..random_states import kept_random_states
from .checked_pipeline import all_steps, run_step
from .damaged_files import fault_at_a_glance
from .image_orientation import orientation_of, why_sizes_differ
from .label_checks import IGNORED, check_form, ignored_labels
from .label_sample import label_reader
from .stored_label import StoredLabel, look_at_label

THUMBNAIL = 16  # height and width of the grey picture that is compared with others
_DESCRIBED = 20  # labels of a data set whose files are described although nothing is wrong with them


@dataclass
class Item:
    """What an image and its label show.

    Attributes:
        image: path of the image.
        label: path of its label; '' where none is read.
        faults: what is wrong, by kind: image, no label, label, size or values.
        size: (H, W) of the image; None where it cannot be read.
        kind: channels and type of the image, such as '3 x uint8'.
        orientation: the EXIF tag of the image; 1 is upright.
        digest: of the decoded pixels.
        thumbnail: the image in grey, (16, 16); None for an image that shows nothing.
        counts: pixels of each class.
        ignored: pixels that are ignored.
        stored: what the file of the label holds, for a label that is wrong and for some others.
    """

    image: str
    label: str = ''
    faults: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    kind: str = ''
    orientation: int = 1
    digest: bytes = b''
    thumbnail: np.ndarray | None = None
    counts: dict[int, int] = field(default_factory=dict)
    ignored: int = 0
    stored: StoredLabel | None = None


class ItemReader:
    """Reads the items of one data set.

    Args:
        dataset: of mmseg, or like one.
    """

    def __init__(self, dataset: Any) -> None:
        steps = list(all_steps(getattr(dataset.pipeline, 'transforms', ())))
        self._dataset = dataset
        self._load = copy.deepcopy(next((step for step in steps if isinstance(step, LoadImageFromFile)), None))
        self._read_label = label_reader(dataset)
        self._every = max(len(dataset) // _DESCRIBED, 1)

    def __call__(self, index: int) -> Item:
        """What image and label show."""
        info = self._dataset.get_data_info(index)
        item = Item(str(info.get('img_path', index)))
        self._look_at_image(item, dict(info))
        if self._read_label is not None:
            self._look_at_label(item, info, self._read_label)
            if {'label', 'values'} & item.faults.keys() or index % self._every == 0:
                item.stored = look_at_label(item.label)
        return item

    def _look_at_image(self, item: Item, info: dict) -> None:
        item.orientation = orientation_of(item.image)
        if self._load is None:
            return
        try:
            results = run_step(self._load, 'image', info)
        except InputError as error:
            item.faults['image'] = str(error)
            return
        if results is None:
            item.faults['image'] = f'{item.image} cannot be read'
            return
        if fault := fault_at_a_glance(item.image):
            item.faults['image'] = fault
        image = results['img']
        item.size = tuple(image.shape[:2])
        item.kind = f'{image.shape[2] if image.ndim == 3 else 1} x {image.dtype}'
        item.digest = hashlib.sha1(np.ascontiguousarray(image).data, usedforsecurity=False).digest()
        item.thumbnail = _thumbnail(image)

    def _look_at_label(self, item: Item, info: dict, read: Callable[[dict], dict | None]) -> None:
        path = info.get('seg_map_path')
        item.label = str(path or '')
        if not isinstance(path, str) or ('://' not in path and not osp.exists(path)):
            item.faults['no label'] = f'no such file: {path}' if path else 'the data set names no label'
            return
        names, ignored = self._dataset.metainfo['classes'], ignored_labels(self._dataset)
        try:
            results = read(copy.deepcopy(info))
            if results is None or 'gt_seg_map' not in results:
                return
            label = results['gt_seg_map']
            check_form(label, len(names), item.label)
        except InputError as error:
            item.faults['label'] = str(error)
            return
        if fault := fault_at_a_glance(item.label):
            item.faults['label'] = fault
        if item.size is not None and tuple(label.shape[-2:]) != item.size:
            why = why_sizes_differ(label.shape, item.size, item.image)
            size, own = ('x'.join(map(str, one)) for one in (label.shape, item.size))
            item.faults['size'] = f'the label is {size}, the image {own} (height x width)' + (f': {why}' if why else '')
        wrong = []
        for value, number in zip(*_counted(label), strict=True):
            if value in ignored:
                item.ignored += number
            elif 0 <= value < len(names):
                item.counts[value] = number
            else:
                wrong.append(value)
        if wrong:
            item.faults['values'] = f'holds {listed(map(str, wrong))}; the classes are 0 to {len(names) - 1}'


def _counted(label: np.ndarray) -> tuple[list[int], list[int]]:
    if label.dtype == np.uint8:
        counts = np.bincount(label.reshape(-1), minlength=IGNORED + 1)
        return np.flatnonzero(counts).tolist(), counts[counts > 0].tolist()
    values, counts = np.unique(label, return_counts=True)
    return values.tolist(), counts.tolist()


def _thumbnail(image: np.ndarray) -> np.ndarray | None:
    """A small grey picture, or None where it is almost of one colour, so that any two such images would be alike."""
    if image.size == 0:
        return None
    channels = image.reshape(*image.shape[:2], -1)
    # Compression keeps brightness better than colours.
    weights = (
        np.array([0.114, 0.587, 0.299]) if channels.shape[2] == 3 else np.full(channels.shape[2], 1 / channels.shape[2])
    )
    grey = (
        cv2.transform(channels, weights[None].astype(np.float32))
        if channels.dtype == np.uint8 and channels.shape[2] < 5
        else channels @ weights
    )
    small: np.ndarray = cv2.resize(grey.astype(np.float32), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return small if small.std() > 4 else None


_reader: ItemReader | None = None  # of this process


def _start(dataset: Any) -> None:
    global _reader
    cv2.setNumThreads(0)
    _reader = ItemReader(dataset)


def _read(index: int) -> Item:
    assert _reader is not None
    return _reader(index)


def read_items(dataset: Any, workers: int, what: str) -> list[Item]:
    """Read all items of a data set.

    Args:
        dataset: of mmseg, or like one.
        workers: processes; 0 for none beside this one.
        what: is read, for the progress bar.

    Raises:
        InputError: a process was killed, such as for memory.
    """
    with kept_random_states():
        return list(track(_items(dataset, workers), what, total=len(dataset)))


def _items(dataset: Any, workers: int) -> Iterator[Item]:
    if workers < 1 or len(dataset) < 2:
        yield from map(ItemReader(dataset), range(len(dataset)))
        return
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    try:
        with ProcessPoolExecutor(workers, context, _start, (dataset,)) as pool:
            yield from pool.map(_read, range(len(dataset)), chunksize=max(min(len(dataset) // (4 * workers), 16), 1))
    except BrokenProcessPool as error:
        raise InputError(
            'a process that reads images was killed, which the system does where memory runs out: give fewer --workers'
        ) from error
