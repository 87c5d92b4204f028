"""Random Gaussian blur of training images."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ..errors import InputError


@TRANSFORMS.register_module()
class RandomGaussianBlur(BaseTransform):
    """Blur `img` with a given probability, as the official PSPNet does; OpenCV derives sigma from the kernel size.

    Args:
        prob: probability that an image is blurred, from 0 to 1.
        kernel_size: side of the square kernel in pixels, odd.

    Raises:
        InputError: an argument is out of its range.
    """

    def __init__(self, prob: float = 0.5, kernel_size: int = 5) -> None:
        if not 0 <= prob <= 1:
            raise InputError(f'RandomGaussianBlur: prob must be from 0 to 1, got {prob!r}')
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(f'RandomGaussianBlur: kernel_size must be odd and positive, got {kernel_size!r}')
        self.prob = prob
        self.kernel_size = kernel_size

    def transform(self, results: dict) -> dict:
        """Blur `img` (H, W, 3), or leave it; its shape stays."""
        if np.random.rand() < self.prob:
            results['img'] = cv2.GaussianBlur(results['img'], (self.kernel_size, self.kernel_size), 0)
        return results
