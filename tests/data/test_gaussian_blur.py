"""The random Gaussian blur."""

import cv2
import numpy as np
import pytest

from repvgg_seg.data import RandomGaussianBlur
from repvgg_seg.errors import InputError


def test_blur_is_the_5x5_of_opencv_now_and_then():
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    np.random.seed(0)
    outs = [RandomGaussianBlur(prob=0.5)(dict(img=image))['img'] for _ in range(400)]
    blurred = [out for out in outs if not np.array_equal(out, image)]
    assert 150 < len(blurred) < 250
    assert all(np.array_equal(out, cv2.GaussianBlur(image, (5, 5), 0)) for out in blurred)


@pytest.mark.parametrize('kwargs', [dict(prob=1.5), dict(kernel_size=4), dict(kernel_size=-1)])
def test_blur_refuses(kwargs):
    with pytest.raises(InputError, match=f'{next(iter(kwargs))} must be'):
        RandomGaussianBlur(**kwargs)
