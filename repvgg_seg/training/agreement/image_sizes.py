"""Sizes of the images that come together into one batch."""

import logging
from collections.abc import Sequence
from typing import Any

from mmengine.dataset import DefaultSampler
from mmengine.logging import print_log
from mmseg.datasets.transforms import RandomCrop
from mmseg.models import SegDataPreProcessor
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from ...errors import InputError
from ...models.model_wrappers import inner_model
from .segmentor_parts import transforms_of

_SIZES_TRIED = 16  # sizes of image files of which one each is loaded
_FILES_LOOKED_AT = 20000  # the header of a file takes 0.1 ms


def check_sizes_in_batches(model: nn.Module, loader: DataLoader, dataset: Any, setting: str) -> None:
    """Look for batches of a validation or test that would hold images of several sizes.

    Of every size that the image files have, up to a number, one image goes through the pipeline; the headers of the files say
    which sizes there are.

    Args:
        model: the segmentor; a data preprocessor of somebody else's, which may pad, is not judged.
        loader: the loader that is used.
        dataset: its data set, or a copy of it, from which images are loaded.
        setting: name of the loader in the config.

    Raises:
        InputError: a batch would hold two sizes; names the setting.
    """
    preprocessor = getattr(inner_model(model), 'data_preprocessor', None)
    # mmseg's own asks for one size, also where its test_cfg pads.
    if (loader.batch_size or 1) < 2 or type(preprocessor) is not SegDataPreProcessor:
        return
    by_file = _sizes_of_files(dataset)
    if len(set(by_file)) < 2:
        return
    examples = {size: by_file.index(size) for size in sorted(set(by_file))[:: len(set(by_file)) // _SIZES_TRIED + 1]}
    loaded = {size: _size_of_item(dataset[i]) for size, i in examples.items()}
    for batch in _batches(loader, len(by_file)):
        sizes = {loaded[by_file[i]]: i for i in batch if by_file[i] in loaded}
        if len(sizes) > 1:
            (one, i), (other, k) = list(sizes.items())[:2]
            raise InputError(
                f'{setting}.batch_size is {loader.batch_size}, and the images of a batch have several sizes '
                f'({_shown(one)} as {_path(dataset, i)}, {_shown(other)} as {_path(dataset, k)}): set --cfg-options '
                f'{setting}.batch_size=1, or resize them to one size in the pipeline'
            )


def _sizes_of_files(dataset: Any) -> list[tuple[int, int]]:
    """(width, height) of every image file, from its header; an empty list where they cannot be known."""
    try:
        if len(dataset) > _FILES_LOOKED_AT:
            return []
        sizes = []
        for i in range(len(dataset)):
            with Image.open(_path(dataset, i)) as image:
                sizes.append(image.size)
        return sizes
    except Exception:  # other files than images, or a data set of another kind: the rehearsed batch has to do
        return []


def _path(dataset: Any, i: int) -> str:
    return str(dataset.get_data_info(i)['img_path'])


def _size_of_item(item: Any) -> tuple[int, ...]:
    """(H, W) of what the pipeline returned; of the first augmentation in a test with several."""
    inputs = item['inputs']
    inputs = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
    return tuple(inputs.shape[-2:])


def _batches(loader: DataLoader, images: int) -> list[list[int]]:
    """The batches of this process; all images as one where their order is random."""
    sampler, size = loader.sampler, loader.batch_size or 1
    if not isinstance(sampler, DefaultSampler) or sampler.shuffle:
        return [list(range(images))]
    order = list(sampler)
    return [order[i : i + size] for i in range(0, len(order), size)]


def _shown(size: Sequence[int]) -> str:
    return 'x'.join(map(str, size))


def check_crop_and_padding(model: nn.Module, dataset: Any) -> None:
    """Warn where crops can be larger than what the data preprocessor pads them to: images of two sizes do not make a batch."""
    size = getattr(getattr(inner_model(model), 'data_preprocessor', None), 'size', None)
    if not isinstance(size, (tuple, list)):
        return
    for step in transforms_of(dataset):
        if isinstance(step, RandomCrop) and any(a > b for a, b in zip(step.crop_size, size, strict=False)):
            print_log(
                f'crops are {_shown(step.crop_size)}, and model.data_preprocessor.size pads to {_shown(size)}: a smaller image '
                f'fits into no batch; set --cfg-options model.data_preprocessor.size="{tuple(step.crop_size)}"',
                'current',
                logging.WARNING,
            )
