"""An exported file beside the model that it was made from, on images."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from mmseg.models import EncoderDecoder
from torch import Tensor

from ..measure.difference import largest_relative_error
from .engine import Engine
from .engine_info import EngineInfo
from .pixel_normalization import pixel_normalization, pixels_again, preprocessed

Size = tuple[int, int]


@dataclass(frozen=True)
class Comparison:
    """How far the logits of a file are from those of PyTorch.

    Args:
        images: number of images that were compared.
        sizes: their sizes, 'HxW'.
        relative_error: the largest difference over the largest logit, of all images.
        equal_labels: share of the pixels of the logits that get the same label.
    """

    images: int
    sizes: tuple[str, ...]
    relative_error: float
    equal_labels: float


@torch.inference_mode()
def compare(model: EncoderDecoder, engine: Engine, images: Sequence[Tensor]) -> Comparison:
    """Compare the logits of a file with those of the model that it was made from.

    Args:
        model: on the CPU, in eval mode.
        engine: the file.
        images: (C, H, W), as the data preprocessor takes them. A file that takes any size gets a part of the first as well.
    """
    size = engine.info.size
    images = [_resized(image, size) for image in images] if size else [*images, _odd_part(images[0])]
    found, expected = [], []
    for image in images:
        inputs = preprocessed(model.data_preprocessor, [image])
        expected.append(model(inputs, mode='tensor'))
        found.append(engine(_for_file(image, inputs, model, engine.info)))
    equal = torch.cat(
        [(_labels(ours) == _labels(theirs)).flatten() for ours, theirs in zip(found, expected, strict=True)]
    )
    return Comparison(
        images=len(images),
        sizes=tuple(dict.fromkeys('x'.join(map(str, image.shape[1:])) for image in images)),
        relative_error=largest_relative_error(found, expected),
        equal_labels=equal.double().mean().item(),
    )


def _labels(logits: Tensor) -> Tensor:
    return logits.argmax(1) if logits.shape[1] > 1 else logits > 0


def as_file_takes_it(image: Tensor, model: EncoderDecoder, info: EngineInfo) -> Tensor:
    """An image for a file, (1, C, H, W) in fp32, from one as the data preprocessor takes it, (C, H, W)."""
    image = _resized(image, info.size) if info.size else image
    return _for_file(image, preprocessed(model.data_preprocessor, [image]), model, info)


def _for_file(image: Tensor, inputs: Tensor, model: EncoderDecoder, info: EngineInfo) -> Tensor:
    """The same from an image of the right size, and from what the data preprocessor makes of it."""
    if not info.normalizes:
        return inputs
    if inputs.shape[2:] == image.shape[1:]:
        return image[None].float()
    # test_cfg of the preprocessor pads, behind the normalisation.
    return pixels_again(inputs, *pixel_normalization(model.data_preprocessor, len(image)))


def _resized(image: Tensor, size: Size) -> Tensor:
    """An image of another size; one of the right size as it is."""
    if tuple(image.shape[1:]) == size:
        return image
    values = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    resized = cv2.resize(values, size[::-1], interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(resized.reshape(*size, -1)).permute(2, 0, 1)


def _odd_part(image: Tensor) -> Tensor:
    """A part of an image whose sides no stride divides."""
    height, width = ((3 * side // 4) | 1 for side in image.shape[1:])
    return image[:, :height, :width]
