"""Images per second: read by one core, by the pipeline of a config and by plain Pillow; augmented on a device."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmseg.registry import TRANSFORMS
from PIL import Image
from torch import Tensor

from ..data.autoaugment import ImageNetAutoAugment
from ..errors import InputError
from .subject import Subject


def loading_subjects(cfg: Config, folder: str) -> Iterator[Subject]:
    """Every image of a folder, from the file to a uint8 tensor (3, size, size), in two ways with the same crops.

    Args:
        cfg: config of a classifier; its training pipeline starts with `LoadRandomResizedCrop`.
        folder: searched for images at every depth.

    Raises:
        InputError: the folder holds no images, or the config has another pipeline.
    """
    paths = sorted(path for path in Path(folder).rglob('*') if path.suffix.lower() in ('.jpeg', '.jpg'))
    if not paths:
        raise InputError(f'no *.JPEG or *.jpg below {folder}: name a folder of photographs')
    if cfg.train_pipeline[0].type != 'LoadRandomResizedCrop':
        raise InputError(
            f'the pipeline must start with LoadRandomResizedCrop, got {cfg.train_pipeline[0].type}: '
            'name a config of configs/imagenet'
        )
    cv2.setNumThreads(0)  # as in a worker of the loader
    pipeline = Compose(cfg.train_pipeline)
    crop = TRANSFORMS.build(cfg.train_pipeline[0])

    def load_by_pipeline(path: Path) -> Tensor:
        """A crop (3, size, size), uint8, by the pipeline of the config."""
        return pipeline(dict(img_path=str(path), label=0))['inputs']

    def load_by_pillow(path: Path) -> Tensor:
        """A crop (3, size, size), uint8, by Pillow."""
        with Image.open(path) as opened:
            image = opened.convert('RGB')
        x, y, width, height = crop.draw(*image.size)
        image = image.crop((x, y, x + width, y + height)).resize((crop.size, crop.size), Image.Resampling.BILINEAR)
        if np.random.rand() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.from_numpy(np.array(image).transpose(2, 0, 1).copy())

    for form, load in (('plain PIL', load_by_pillow), ('pipeline', load_by_pipeline)):
        yield Subject(f'{len(paths)} images', form, partial(_load_all, load, paths), len(paths))


def _load_all(load: Callable[[Path], Tensor], paths: Sequence[Path]) -> list[Tensor]:
    """Load every image with the same random crops at every call."""
    np.random.seed(0)  # so that every call draws the same crops
    return [load(path) for path in paths]


def augmentation_subjects(device: torch.device, batch: int, size: int = 224) -> Iterator[Subject]:
    """AutoAugment of a random batch on a device: image by image, and all images of one sub-policy at once.

    Args:
        device: where it computes.
        batch: images.
        size: their height and width in pixels.
    """
    images = torch.rand(batch, 3, size, size, device=device)
    augment = ImageNetAutoAugment()

    def augment_all(parts: Sequence[Tensor]) -> Tensor:
        """The parts of a batch (n, 3, size, size), augmented one after the other: (N, 3, size, size)."""
        torch.manual_seed(0)
        return torch.cat([augment(part) for part in parts])

    for form, parts in (('one by one', images.split(1)), ('by sub-policy', [images])):
        yield Subject(f'AutoAugment of {batch}', form, partial(augment_all, parts), batch)
