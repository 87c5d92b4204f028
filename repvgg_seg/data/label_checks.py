"""The checks of segmentation labels: channel, size and values of every label that a pipeline loads."""

import os.path as osp
from collections.abc import Iterable

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from ..errors import InputError
from ..invocation import as_typed

_IGNORED = 255
_EIGHT_BIT_MODES = ('L', 'P', '1')  # names that Pillow gives to images of one channel of at most 8 bits
_CITYSCAPES_CLASSES, _CITYSCAPES_IDS = 19, 34


@TRANSFORMS.register_module()
class CheckAnnotations(BaseTransform):
    """Refuse a wrong label before it reaches the loss. The step belongs right after `LoadAnnotations`.

    It reads `num_classes`, which the data sets of this package set. Items without a label pass unchecked.

    Raises:
        InputError: a label is not one 8-bit channel, differs from its image in size, or holds values that are neither a
            class nor 255. The message names the file.
    """

    def transform(self, results: dict) -> dict:
        """Check `gt_seg_map` (H, W) and its file, and return the results unchanged."""
        if 'gt_seg_map' not in results:
            return results
        label, path = results['gt_seg_map'], results['seg_map_path']
        _check_channel(path)
        _check_size(label.shape, results['ori_shape'], path, results['img_path'])
        _check_values(label, results['num_classes'], path)
        return results


def _check_channel(path: str) -> None:
    """Check the file itself, because `LoadAnnotations` has already cut wider values down to 8 bits in the array."""
    if not osp.isfile(path):
        return
    with Image.open(path) as image:
        if image.mode not in _EIGHT_BIT_MODES:
            raise InputError(f'{path}: a label is one 8-bit channel of class numbers, got mode {image.mode}')


def _check_size(label: Iterable[int], image: Iterable[int], path: str, image_path: str) -> None:
    """Compare the (H, W) of a label and of its image."""
    label, image = tuple(label), tuple(image)
    if label != image:
        raise InputError(
            f'{path} is {_described(label)}, its image {image_path} {_described(image)} (height x width): '
            'a label must have the size of its image'
        )


def _check_values(label: np.ndarray, num_classes: int, path: str) -> None:
    """Look for values of a label (H, W) that are neither a class nor 255."""
    values = np.flatnonzero(np.bincount(label.ravel(), minlength=_IGNORED + 1))
    wrong = values[(values >= num_classes) & (values != _IGNORED)].tolist()
    if not wrong:
        return
    message = f'{path} holds the values {wrong}; allowed are 0 to {num_classes - 1} and {_IGNORED} (ignored)'
    if num_classes == _CITYSCAPES_CLASSES and max(wrong) < _CITYSCAPES_IDS:
        message += (
            ': these look like raw Cityscapes label ids in place of trainIds; '
            f'run {as_typed("prepare_cityscapes")} on the data root and use *_gtFine_labelTrainIds.png'
        )
    raise InputError(message)


def _described(size: Iterable[int]) -> str:
    """A size as 'HxW'."""
    return 'x'.join(map(str, size))
