"""Steps of the data pipelines that mmseg does not have."""

import os.path as osp

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from ..errors import InputError

_IGNORE = 255
_CITYSCAPES_CLASSES, _CITYSCAPES_IDS = 19, 34


@TRANSFORMS.register_module()
class CheckAnnotations(BaseTransform):
    """Check a label as it was loaded, before a wrong value reaches the loss. Goes right after `LoadAnnotations`.

    Needs `num_classes`, which the data sets of this package put there. Without a label nothing is checked.

    Raises:
        InputError: a label that is not one 8-bit channel, of another size than its image, or with values that are
            neither a class nor 255; names the file.
    """

    def transform(self, results: dict) -> dict:
        if 'gt_seg_map' not in results:
            return results
        label, path = results['gt_seg_map'], results['seg_map_path']
        if osp.isfile(path):  # mmseg has cut wider values down to 8 bits by now
            with Image.open(path) as image:
                if image.mode not in ('L', 'P', '1'):
                    raise InputError(f'{path}: a label is one 8-bit channel of class numbers, got mode {image.mode}')
        if label.shape != tuple(results['ori_shape']):
            raise InputError(
                f'{path} is {_size(label.shape)}, its image {results["img_path"]} {_size(results["ori_shape"])} '
                '(height x width): a label must have the size of its image'
            )
        _check_values(np.flatnonzero(np.bincount(label.ravel(), minlength=_IGNORE + 1)), results['num_classes'], path)
        return results


def _check_values(values: np.ndarray, num_classes: int, path: str) -> None:
    wrong = values[(values >= num_classes) & (values != _IGNORE)].tolist()
    if not wrong:
        return
    message = f'{path} holds the values {wrong}; allowed are 0 to {num_classes - 1} and {_IGNORE} (ignored)'
    if num_classes == _CITYSCAPES_CLASSES and max(wrong) < _CITYSCAPES_IDS:
        message += (
            ': these look like raw Cityscapes label ids in place of trainIds; '
            'run python tools/prepare_cityscapes.py on the data root and use *_gtFine_labelTrainIds.png'
        )
    raise InputError(message)


def _size(shape) -> str:
    return 'x'.join(map(str, shape))


@TRANSFORMS.register_module()
class RandomGaussianBlur(BaseTransform):
    """Blur the image now and then, as the official PSPNet does (5x5, sigma from the kernel size).

    Args:
        prob: how often.
        kernel_size: odd, in pixels.
    """

    def __init__(self, prob: float = 0.5, kernel_size: int = 5):
        if not 0 <= prob <= 1:
            raise InputError(f'RandomGaussianBlur: prob must be from 0 to 1, got {prob!r}')
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(f'RandomGaussianBlur: kernel_size must be odd and positive, got {kernel_size!r}')
        self.prob = prob
        self.kernel_size = kernel_size

    def transform(self, results: dict) -> dict:
        if np.random.rand() < self.prob:
            results['img'] = cv2.GaussianBlur(results['img'], (self.kernel_size, self.kernel_size), 0)
        return results
