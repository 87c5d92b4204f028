"""The test pipeline of a config, for images without labels: from a file or an array to what the network takes."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmseg.registry import TRANSFORMS

from ..data.checked_pipeline import CheckedPipeline, Checks
from ..data.step_errors import is_loader
from ..data.wrapped_datasets import inner_configs
from ..errors import InputError
from ..evaluation.prediction_files import without_labels
from ..training.one_line_error import told_in_one_line

_PLACE = 'test_pipeline'
Item = dict[str, Any]  # `inputs` (C, H, W) and `data_samples`


class ImagePipeline:
    """The steps of the test pipeline that concern the image.

    Args:
        cfg: config of a segmentor.
        channels: of the images that the network takes.

    Raises:
        InputError: the config has no test pipeline.
    """

    def __init__(self, cfg: Config, channels: int) -> None:
        steps = [_built(step, i) for i, step in enumerate(without_labels(copy.deepcopy(_steps(cfg))))]
        loaders = [i for i, step in enumerate(steps) if is_loader(step)]
        if not loaders:
            raise InputError(f'the {_PLACE} of the config loads no image: let it begin with LoadImageFromFile')
        checks = Checks(_PLACE, labels=False, channels=channels)
        self._first: Callable = steps[loaders[-1]]
        self._load = CheckedPipeline(steps[: loaders[-1] + 1], Checks(_PLACE, labels=False))
        self._rest = CheckedPipeline(steps[loaders[-1] + 1 :], checks)

    def from_file(self, path: str) -> tuple[Item, np.ndarray]:
        """What the network takes for an image file, and the image as it was read, (H, W, C).

        Raises:
            InputError: it cannot be read; names file and reason.
        """
        loaded: Any = self._load(dict(img_path=path, seg_fields=[], reduce_zero_label=False))
        if not isinstance(loaded, dict) or not isinstance(loaded.get('img'), np.ndarray):
            raise InputError(f'{path}: the {_PLACE} of the config made no image of it')
        image = loaded['img']
        return self._finished(loaded, path), image

    def from_array(self, image: np.ndarray, name: str) -> Item:
        """What the network takes for an image, (H, W, C), as `LoadImageFromFile` would have read it."""
        if not isinstance(self._first, LoadImageFromFile):
            raise InputError(
                f'images are read by {type(self._first).__name__} of the config, which takes files: give a path'
            )
        values = image.astype(np.float32) if self._first.to_float32 else image
        size = image.shape[:2]
        loaded = dict(img=values, img_path=name, img_shape=size, ori_shape=size, seg_fields=[], reduce_zero_label=False)
        return self._finished(loaded, name)

    def _finished(self, loaded: dict[str, Any], name: str) -> Item:
        item: Any = self._rest(loaded)
        if not isinstance(item, dict) or 'inputs' not in item or isinstance(item['inputs'], list):
            raise InputError(
                f'{name}: the {_PLACE} of the config makes no single image of it: end it with PackSegInputs'
            )
        return item


def _built(step: Any, number: int) -> Callable:
    try:
        return TRANSFORMS.build(step) if isinstance(step, dict) else step
    except Exception as error:  # a wrong value raises whatever the class makes of it
        raise told_in_one_line(error, f'building step {number} of the {_PLACE}') from error


def _steps(cfg: Config) -> list[Any]:
    dataset = (cfg.get('test_dataloader') or {}).get('dataset')
    of_dataset = next(inner_configs(dataset)).get('pipeline') if dataset else None
    steps = of_dataset or cfg.get('test_pipeline')
    if not steps:
        raise InputError('the config has no test_pipeline: set test_dataloader.dataset.pipeline')
    return list(steps)
