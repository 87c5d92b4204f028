"""The checks of segmentation labels: channel, size and values of every label that a pipeline loads."""

import os.path as osp
from collections.abc import Collection, Iterable
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from ..errors import InputError
from ..invocation import as_typed
from .image_orientation import why_sizes_differ

IGNORED = 255  # the value that mmseg ignores by default
_EIGHT_BIT_MODES = ('L', 'P', '1')  # names that Pillow gives to images of one channel of at most 8 bits
_WIDE_MODES = ('I;16', 'I;16B', 'I')  # one channel of more bits
_CITYSCAPES_CLASSES, _CITYSCAPES_IDS = 19, 34


class CutLabelError(InputError):
    """A label of more than 8 bits was cut to 8, which no later step can put right."""


@TRANSFORMS.register_module()
class CheckAnnotations(BaseTransform):
    """Refuse a wrong label before it reaches the loss. The step belongs right after `LoadAnnotations`.

    It reads `num_classes` and `ignored_labels`, which the data sets of this package and, for all others, our tools put
    into the items. Without `num_classes` the values are not checked. Items without a label pass unchecked.

    Raises:
        InputError: a label is not one channel of numbers, differs from its image in size, or holds values that are
            neither a class nor ignored. The message names the file.
    """

    def transform(self, results: dict) -> dict:
        """Check `gt_seg_map` (H, W) and its file, and return the results unchanged."""
        check_label(results)
        return results


def check_label(results: dict) -> None:
    """Check `gt_seg_map` (H, W), or (Z, H, W) of volumes, of an item, where it has one, and its file.

    Raises:
        InputError: as `CheckAnnotations`.
    """
    if 'gt_seg_map' not in results:
        return
    label, path = results['gt_seg_map'], str(results.get('seg_map_path', 'a label'))
    check_form(label, results.get('num_classes', 0), path)
    if 'ori_shape' in results:
        _check_size(label.shape, results['ori_shape'], path, str(results.get('img_path', '')))
    if results.get('num_classes'):
        check_values(label_values(label), results['num_classes'], path, results.get('ignored_labels', (IGNORED,)))


def check_form(label: np.ndarray, num_classes: int, path: str) -> None:
    """Check that a label and its file are one channel of numbers, wide enough for the classes.

    Raises:
        InputError: they are not.
    """
    if label.dtype == np.uint8:
        _check_channel(label, path)
        if num_classes > IGNORED:
            raise InputError(
                f'{path}: LoadAnnotations keeps 8 bits of a label, too few for {num_classes} classes: '
                'at most 255; use a loading step of your own that keeps gt_seg_map wider'
            )
        if label.ndim == 3 and label.shape[2] <= 4:
            raise InputError(
                f'{path} is loaded as {_described(label.shape)}, and a label has one channel: '
                "a palette image is read as such by LoadAnnotations(imdecode_backend='pillow')"
            )


def ignored_labels(dataset: Any) -> tuple[int, ...]:
    """The values that mean ignored in what a data set loads: its `ignore_index`, and what mmseg writes for left-out classes."""
    own = getattr(dataset, 'ignore_index', IGNORED)
    written = (
        getattr(dataset, 'reduce_zero_label', False) or IGNORED in (getattr(dataset, 'label_map', None) or {}).values()
    )
    return tuple(sorted({own, IGNORED} if written else {own}))


def label_values(label: np.ndarray) -> np.ndarray:
    """The different values of a label of any shape, in order."""
    if label.dtype != np.uint8:
        return np.unique(label)
    return np.flatnonzero(cv2.calcHist([label.reshape(-1, 1)], [0], None, [256], [0, 256]))  # faster than np.bincount


def check_values(values: np.ndarray, num_classes: int, where: str, ignored: Collection[int] = (IGNORED,)) -> None:
    """Look for values that are neither a class nor ignored.

    Args:
        values: the different values of one label or of several.
        num_classes: of the data set.
        where: what holds them, such as the path of a label.
        ignored: values that the data set ignores.

    Raises:
        InputError: there are some; the message says what they may be.
    """
    is_class = (values >= 0) & (values < num_classes)
    wrong = values[~is_class & ~np.isin(values, list(ignored))].tolist()
    if not wrong:
        return
    some = f'{wrong}' if len(wrong) <= 8 else f'{[*wrong[:8]]} and {len(wrong) - 8} more'
    last = ' and '.join(map(str, sorted(ignored)))
    message = f'{where} holds the values {some}; allowed are 0 to {num_classes - 1} and {last} (ignored)'
    raise InputError(f'{message}: {_what_to_do(values, wrong, num_classes)}')


def _what_to_do(values: np.ndarray, wrong: list[int], num_classes: int) -> str:
    """What wrong values may be, and the way out."""
    if num_classes == _CITYSCAPES_CLASSES and num_classes < max(wrong) < _CITYSCAPES_IDS:
        return (
            'these look like raw Cityscapes label ids in place of trainIds; '
            f'run {as_typed("prepare_cityscapes")} on the data root and use *_gtFine_labelTrainIds.png'
        )
    ways = []
    if wrong == [num_classes] and values.min() > 0:
        ways.append('where the classes are counted from 1, set reduce_zero_label=True of the data set')
    if len(wrong) == 1:
        ways.append(
            f'where {wrong[0]} means ignored, set ignore_index={wrong[0]} of the data set, the heads and the metric'
        )
    rest = 'convert the labels, or name all classes in metainfo'
    return '; '.join([*ways, f'otherwise {rest}' if ways else rest])


def _check_channel(label: np.ndarray, path: str) -> None:
    """Refuse a label that holds its file as it is stored, where this is not one channel of 8 bits.

    `LoadAnnotations` cuts wider values down to 8 bits. A step that turns colours or wide numbers into class numbers is right,
    and so is one that reads another format.
    """
    stored = _stored(path)
    if stored is None:
        return
    array, mode = stored
    fault = f'{path}: a label is one 8-bit channel of class numbers, got mode {mode}; {_way_out(mode)}'
    if array.ndim == 3 and label.ndim == 3:
        raise InputError(fault)
    if array.ndim == 2 and array.max() > np.iinfo(np.uint8).max and np.array_equal(array.astype(np.uint8), label):
        raise CutLabelError(fault)


def _stored(path: str) -> tuple[np.ndarray, str] | None:
    """What a picture holds, and the mode that Pillow gives it; None for one channel of 8 bits and for other files."""
    if not osp.isfile(path):
        return None
    try:
        with Image.open(path) as image:
            return None if image.mode in _EIGHT_BIT_MODES else (np.asarray(image), image.mode)
    except Exception:  # a format of which Pillow knows nothing
        return None


def _way_out(mode: str) -> str:
    if mode in _WIDE_MODES:
        return 'values above 255 need a loading step of your own: LoadAnnotations keeps 8 bits'
    return 'turn its colours into class numbers and save them as grey or palette PNG'


def _check_size(label: Iterable[int], image: Iterable[int], path: str, image_path: str) -> None:
    """Compare the (H, W) of a label and of its image."""
    label, image = tuple(label), tuple(image)
    if label != image:
        raise InputError(
            f'{path} is {_described(label)}, its image {image_path} {_described(image)} (height x width): '
            + (why_sizes_differ(label, image, image_path) or 'a label must have the size of its image')
        )


def _described(size: Iterable[int]) -> str:
    """A size as 'HxW'."""
    return 'x'.join(map(str, size))
