"""A few images on which two forms of a network are compared, or 8 bits calibrated."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmseg.registry import DATASETS
from torch import Tensor

from ..data.wrapped_datasets import inner_configs
from ..errors import InputError
from ..synthetic.dataset import scene_rng
from ..synthetic.scene import draw_scene
from .image_pipeline import ImagePipeline

_NUMBER, _NUMBER_TO_CALIBRATE = 3, 40
_DRAWN = (256, 512)  # height and width of drawn scenes


def sample_images(cfg: Config, channels: int, files: Sequence[str] = ()) -> tuple[list[Tensor], str]:
    """Images as the test pipeline of a config makes them for the data preprocessor, and in words where they come from.

    Args:
        cfg: config of a segmentor.
        channels: of the images.
        files: paths of images; without any, three images of the test or validation set, and where there are none, drawn scenes.

    Returns:
        (C, H, W) each.

    Raises:
        InputError: a file cannot be read.
    """
    pipeline = ImagePipeline(cfg, channels)
    if files:
        return [_inputs(pipeline.from_file(file)[0]) for file in files], f'{len(files)} images'
    for paths in _paths_of_data_sets(cfg, ('test_dataloader', 'val_dataloader'), _NUMBER):
        try:
            images = [_inputs(pipeline.from_file(path)[0]) for path in paths]
        except InputError:  # a damaged file; others will do
            continue
        if images:
            return images, f'{len(images)} images of the data set'
    noise = torch.randint(256, (channels, *_DRAWN), generator=torch.Generator().manual_seed(0))
    if channels != 3:
        return [noise], 'noise, since the data set of the config is not here (--images names images)'
    scenes = [draw_scene(scene_rng(0, 'val', i), *_DRAWN)[0] for i in range(_NUMBER)]
    drawn = [torch.from_numpy(np.ascontiguousarray(scene.transpose(2, 0, 1))) for scene in scenes]
    return drawn, f'{_NUMBER} drawn scenes, since the data set of the config is not here (--images names images)'


def calibration_images(cfg: Config, channels: int) -> list[Tensor]:
    """Images of the training set as the test pipeline of a config makes them for the data preprocessor.

    Args:
        cfg: config of a segmentor.
        channels: of the images.

    Raises:
        InputError: the training set is not here, or an image cannot be read.
    """
    paths = next(_paths_of_data_sets(cfg, ('train_dataloader',), _NUMBER_TO_CALIBRATE), [])
    if not paths:
        raise InputError(
            '8 bits are calibrated on images of the training set of the config, which is not here: name at least a dozen like '
            'them (--images FILE ...)'
        )
    pipeline = ImagePipeline(cfg, channels)
    return [_inputs(pipeline.from_file(path)[0]) for path in paths]


def _inputs(item: dict[str, Any]) -> Tensor:
    inputs: Tensor = item['inputs']
    return inputs


def _paths_of_data_sets(cfg: Config, loaders: Sequence[str], number: int) -> Iterator[list[str]]:
    """Paths of images that are spread over the data set of each of some loaders, if it is here."""
    for loader in loaders:
        dataset = (cfg.get(loader) or {}).get('dataset')
        if not dataset:
            continue
        try:
            built = DATASETS.build(dict(next(inner_configs(dataset)), pipeline=[]))
            places = np.linspace(0, len(built) - 1, min(number, len(built))).astype(int)
            yield [str(built.get_data_info(int(i))['img_path']) for i in places]
        except Exception:  # it is not here, or of somebody else's class, which may raise anything
            continue
