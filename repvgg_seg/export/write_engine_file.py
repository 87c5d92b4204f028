"""Writing an exported file: it is run and compared with PyTorch before it gets its name, and is there whole or not at all."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from mmseg.models import EncoderDecoder
from torch import Tensor

from ..errors import InputError, beginning_of
from ..files import named_errors
from ..measure.difference import largest_relative_error
from .engine import Engine, load_engine
from .engine_info import EngineInfo, info_file
from .export_form import example_image, export_form
from .formats import FORMATS
from .pixel_normalization import pixel_normalization, pixels_again, preprocessed

# The largest relative error of the logits: of rounding alone, and of half precision.
LIMITS = dict(fp32=1e-4, bf16=0.1, fp16=0.1)
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


def write_engine_file(
    model: EncoderDecoder, target: Path, info: EngineInfo, images: Sequence[Tensor], overwrite: bool = False
) -> Comparison:
    """Export a segmentor, run the file and compare it with the model; the file gets its name when all agrees.

    Args:
        model: with trained weights, in training or fused form, on the CPU, in eval mode.
        target: the file to write, in a folder that exists; others lie beside it then.
        info: what is written beside it.
        images: (C, H, W), as the data preprocessor takes them; of other than the one size of the file, they are resized.
        overwrite: replace a file of this name.

    Returns:
        How far the two are apart, which is also written beside the file.

    Raises:
        InputError: the model cannot be exported, the file computes something else, or it cannot be written. Nothing is then
            left of it, and an older file is still there.
    """
    format = FORMATS[info.format]
    check_target(target, info.format, overwrite)
    with (
        named_errors(target),
        tempfile.TemporaryDirectory(dir=target.parent, prefix=f'.{target.name}.', ignore_cleanup_errors=True) as folder,
    ):
        draft = Path(folder, target.name)
        _write(model, draft, info)
        info.write(draft)
        try:
            comparison = compare(model, load_engine(draft), images)
        except InputError as error:
            raise InputError(str(error).replace(str(draft), str(target)) + '; nothing is written') from error
        if not comparison.relative_error <= LIMITS[info.precision]:
            raise InputError(
                f'the logits of {format.engine} differ from those of PyTorch by {comparison.relative_error:.1e}, more than '
                f'{LIMITS[info.precision]:.0e}, and nothing is written: look for infinite, NaN or vanishing values in the checkpoint'
            )
        replace(info, about=info.about | dict(compared=asdict(comparison))).write(draft)
        target.unlink(missing_ok=True)  # so that it never stands beside the weights of another
        for file in (*format.files(draft)[:-1], info_file(draft), draft):
            os.replace(file, target.with_name(file.name))
    return comparison


def _write(model: EncoderDecoder, draft: Path, info: EngineInfo) -> None:
    """Write the network into a file, or raise `InputError`."""
    format = FORMATS[info.format]
    network = export_form(model, info.size, info.normalizes, format.undilated)
    try:
        format.write(network, example_image(info.channels, info.size), info.size is None, info.precision, draft)
    except (InputError, OSError):
        raise
    except Exception as error:  # every exporter has errors of its own
        raise InputError(
            f'this network cannot be written for {format.engine} ({type(error).__name__}: {beginning_of(error)}): try another format'
            + (', or one size (--size H W)' if info.size is None else '')
        ) from error


def check_target(target: Path, format: str, overwrite: bool) -> None:
    """Check that a file may be written, before any work is done.

    Raises:
        InputError: one of its files exists.
    """
    files = [*FORMATS[format].files(target), info_file(target)]
    there = [file for file in files if os.path.lexists(file)]
    if there and (not overwrite or any(file.is_dir() for file in there)):
        raise InputError(f'{there[0]} exists: name another folder, or say --overwrite')


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
        found.append(engine(_as_file_takes_it(image, inputs, model, engine)))
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


def _as_file_takes_it(image: Tensor, inputs: Tensor, model: EncoderDecoder, engine: Engine) -> Tensor:
    """An image for a file, (1, C, H, W), from what the data preprocessor takes and makes of it."""
    if not engine.info.normalizes:
        return inputs
    if inputs.shape[2:] == image.shape[1:]:
        return image[None]
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
