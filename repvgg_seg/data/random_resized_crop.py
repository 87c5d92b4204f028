"""The random crop of ImageNet training, cut while the image is read."""

import io
import math
from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import get
from mmseg.registry import TRANSFORMS
from PIL import Image

from ..errors import InputError

# A JPEG can be decoded at an eighth, a quarter or half of its size, which is faster and averages the pixels.
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
_ATTEMPTS = 10


@TRANSFORMS.register_module()
class LoadRandomResizedCrop(BaseTransform):
    """Read the image at `img_path` and cut a random crop out of it, as `img` (size, size, 3) uint8, BGR.

    The crop is drawn before the image is decoded, so that a JPEG is decoded no larger than the crop needs. The crop is
    drawn as torchvision's `RandomResizedCrop` draws it. Grey, palette and CMYK images become colour images.

    Args:
        size: side of the crop in pixels, after resizing.
        scale: smallest and largest share of the image's area that the crop covers.
        ratio: smallest and largest ratio of the crop's width to its height.

    Raises:
        InputError: an argument is out of its range; on use, an image cannot be decoded.
    """

    def __init__(
        self, size: int, scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3)
    ) -> None:
        if not isinstance(size, int) or size < 1:
            raise InputError(
                f'LoadRandomResizedCrop: size must be a positive integer, the side in pixels, got {size!r}'
            )
        for name, value in (('scale', scale), ('ratio', ratio)):
            if not isinstance(value, Sequence) or len(value) != 2 or not 0 < value[0] <= value[1]:
                raise InputError(f'LoadRandomResizedCrop: {name} must be (from, to), both positive, got {value!r}')
        self.size, self.scale, self.ratio = size, scale, ratio

    def transform(self, results: dict) -> dict:
        """Read the image at `img_path` and put the crop, (size, size, 3) uint8, under `img`."""
        content = get(results['img_path'])
        with Image.open(io.BytesIO(content)) as header:
            width, height = header.size
        x, y, w, h = self.draw(width, height)
        factor = next(k for k in _REDUCED if min(w, h) >= k * self.size or k == 1)
        flag = _REDUCED[factor] | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
        if image is None:
            raise InputError(
                f'cannot decode {results["img_path"]}: the file is damaged or not an image; fetch it again'
            )
        x, y, w, h = (round(value / factor) for value in (x, y, w, h))
        results['img'] = cv2.resize(image[y : y + h, x : x + w], (self.size, self.size))
        return results

    def draw(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Draw the left, top, width and height of a crop, in pixels, of an image of the given size."""
        low, high = map(math.log, self.ratio)
        for _ in range(_ATTEMPTS):
            area = width * height * np.random.uniform(self.scale[0], self.scale[1])
            ratio = math.exp(np.random.uniform(low, high))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return np.random.randint(width - w + 1), np.random.randint(height - h + 1), w, h
        # No attempt fitted into the image: take the largest crop in the middle that has an allowed ratio.
        w = min(width, round(height * self.ratio[1]))
        h = min(height, round(width / self.ratio[0]))
        return (width - w) // 2, (height - h) // 2, w, h
