"""Steps of the classifiers' pipelines that mmcv does not have."""

import io
import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.fileio import get
from mmseg.registry import TRANSFORMS
from PIL import Image

from ..errors import InputError

# JPEG decodes to an eighth, a quarter or half of its size at less cost; the average over pixels comes with it.
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
_ATTEMPTS = 10


@TRANSFORMS.register_module()
class LoadRandomResizedCrop(BaseTransform):
    """Read an image and cut the usual random crop of ImageNet training out of it, in one step.

    `img_path` -> `img` (size, size, 3) uint8, BGR. Knowing the crop before decoding, it decodes a JPEG no larger than the
    crop needs. Grey, palette and CMYK images become colour ones. Draws and falls back as torchvision's RandomResizedCrop.

    Args:
        size: side of the crop, in pixels.
        scale: its share of the image's area, from and to.
        ratio: its width to its height, from and to.

    Raises:
        InputError: a range that is none. On use, an image that cannot be decoded.
    """

    def __init__(self, size: int, scale: 'Sequence[float]' = (0.08, 1.0), ratio: 'Sequence[float]' = (3 / 4, 4 / 3)):
        if not isinstance(size, int) or size < 1:
            raise InputError(
                f'LoadRandomResizedCrop: size must be a positive integer, the side in pixels, got {size!r}'
            )
        for name, value in (('scale', scale), ('ratio', ratio)):
            if not isinstance(value, Sequence) or len(value) != 2 or not 0 < value[0] <= value[1]:
                raise InputError(f'LoadRandomResizedCrop: {name} must be (from, to), both positive, got {value!r}')
        self.size, self.scale, self.ratio = size, scale, ratio

    def transform(self, results: dict) -> dict:
        content = get(results['img_path'])
        with Image.open(io.BytesIO(content)) as header:
            width, height = header.size
        x, y, w, h = self.draw(width, height)
        factor = next(k for k in _REDUCED if min(w, h) >= k * self.size or k == 1)
        flag = _REDUCED[factor] | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
        if image is None:
            raise InputError(f'cannot decode {results["img_path"]}: the file is damaged or no image; fetch it again')
        x, y, w, h = (round(value / factor) for value in (x, y, w, h))
        results['img'] = cv2.resize(image[y : y + h, x : x + w], (self.size, self.size))
        return results

    def draw(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a crop of an image, in pixels."""
        low, high = map(math.log, self.ratio)
        for _ in range(_ATTEMPTS):
            area = width * height * np.random.uniform(*self.scale)
            ratio = math.exp(np.random.uniform(low, high))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return np.random.randint(width - w + 1), np.random.randint(height - h + 1), w, h
        # The largest crop in the middle that has an allowed ratio.
        w = min(width, round(height * self.ratio[1]))
        h = min(height, round(width / self.ratio[0]))
        return (width - w) // 2, (height - h) // 2, w, h


@TRANSFORMS.register_module()
class PackClassificationInputs(BaseTransform):
    """`img` (H, W, 3) BGR and `label` -> what the network gets: `dict(inputs=(3, H, W) uint8, RGB, label)`."""

    def transform(self, results: dict) -> dict:
        image = np.ascontiguousarray(results['img'][..., ::-1].transpose(2, 0, 1))
        return dict(inputs=torch.from_numpy(image), labels=results['label'])
