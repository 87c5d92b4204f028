"""Writing an exported file: it is run and compared with PyTorch before it gets its name, and is there whole or not at all."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mmengine.logging import print_log
from mmseg.models import EncoderDecoder
from torch import Tensor

from ..errors import InputError, beginning_of
from ..files import named_errors
from .compare import Comparison, as_file_takes_it, compare
from .engine import load_engine
from .engine_info import EngineInfo, info_file
from .export_form import ExportForm, example_image, export_form
from .fastest import with_fastest_settings
from .formats import FORMATS, Format
from .int8_errors import int8_errors
from .onnx import write_onnx

# The largest relative error of the logits: of rounding alone, of half precision, and finite.
LIMITS = dict(fp32=1e-4, bf16=0.1, fp16=0.1, int8=float('inf'))
_IMAGES_FOR_ERRORS = 4


@dataclass(frozen=True)
class ExportOptions:
    """How a network is written.

    Args:
        images: (C, H, W), as the data preprocessor takes them, on which the file is compared with the model. For a file of one
            size they are resized.
        calibration: more of them, from which the ranges of the feature maps are taken for a file in 8 bits.
        int8_error: a conv stays in fp32 if its features change by this much or more when it is computed in 8 bits.
        skip: rewrites that are left out, of `export_form.REWRITES`.
        overwrite: replace a file of the same name.
    """

    images: Sequence[Tensor]
    calibration: Sequence[Tensor] = ()
    int8_error: float = 0.05
    skip: Sequence[str] = ()
    overwrite: bool = False


def write_engine_file(model: EncoderDecoder, target: Path, info: EngineInfo, options: ExportOptions) -> Comparison:
    """Export a segmentor, run the file and compare it with the model; the file gets its name when all agrees.

    Args:
        model: with trained weights, in training or fused form, on the CPU, in eval mode.
        target: the file to write, in a folder that exists; others lie beside it then.
        info: what is written beside it.
        options: how it is written.

    Returns:
        How far the two are apart, which is also written beside the file.

    Raises:
        InputError: the model cannot be exported, the file computes something else, or it cannot be written. Nothing is then
            left of it, and an older file is still there.
    """
    format = FORMATS[info.format]
    check_target(target, info.format, options.overwrite)
    with (
        named_errors(target),
        tempfile.TemporaryDirectory(dir=target.parent, prefix=f'.{target.name}.', ignore_cleanup_errors=True) as folder,
    ):
        draft = Path(folder, target.name)
        about = info.about | _write(model, draft, info, options)
        try:
            info = with_fastest_settings(model, draft, info, options.images[0])
            info.write(draft)
            comparison = compare(model, load_engine(draft), options.images)
        except InputError as error:
            raise InputError(str(error).replace(str(draft), str(target)) + '; nothing is written') from error
        if not comparison.relative_error <= LIMITS[info.precision]:
            raise InputError(
                f'the logits of {format.engine} differ from those of PyTorch by {comparison.relative_error:.1e}, more than '
                f'{LIMITS[info.precision]:.0e}, and nothing is written: look for infinite, NaN or vanishing values in the checkpoint'
            )
        replace(info, about=about | dict(compared=asdict(comparison))).write(draft)
        move(draft, target, format)
    return comparison


def move(draft: Path, target: Path, format: Format) -> None:
    """Give a file that is whole its name, with all that belongs to it; an older one is replaced."""
    target.unlink(missing_ok=True)  # so that it never stands beside the weights of another
    for file in (*format.files(draft)[:-1], info_file(draft), draft):
        os.replace(file, target.with_name(file.name))


def _write(model: EncoderDecoder, draft: Path, info: EngineInfo, options: ExportOptions) -> dict[str, object]:
    """Write the network into a file, or raise `InputError`; returns what has to be known of it."""
    format = FORMATS[info.format]
    about: dict[str, object] = dict(skipped=list(options.skip))
    is_int8 = info.precision == 'int8'
    network = export_form(model, info.size, info.normalizes, format.undilated, is_int8, options.skip)
    try:
        if is_int8:
            return about | _write_int8(network, model, draft, info, options)
        format.write(network, example_image(info.channels, info.size), info.size is None, info.precision, draft)
        return about
    except (InputError, OSError):
        raise
    except Exception as error:  # every exporter has errors of its own
        raise InputError(
            f'this network cannot be written for {format.engine} ({type(error).__name__}: {beginning_of(error)}): try another format'
            + (', or one size (--size H W)' if info.size is None else '')
        ) from error


def _write_int8(
    network: ExportForm, model: EncoderDecoder, draft: Path, info: EngineInfo, options: ExportOptions
) -> dict[str, object]:
    """Write a network in 8 bits; returns the convs that stay in fp32, with their errors."""
    quantize = FORMATS[info.format].quantize
    assert quantize is not None  # the format has this precision
    images = [as_file_takes_it(image, model, info) for image in options.calibration]
    errors = int8_errors(network, images[:_IMAGES_FOR_ERRORS])
    in_fp32 = {name: error for name, error in errors.items() if not error < options.int8_error}
    left = f'; the others would change their features by {options.int8_error:g} or more' if in_fp32 else ''
    print_log(
        f'8 bits for {len(errors) - len(in_fp32)} of {len(errors)} convs, calibrated on {len(images)} images{left}',
        'current',
    )
    source = draft.with_name('fp32.onnx')
    write_onnx(network, example_image(info.channels, info.size), info.size is None, 'fp32', source)
    quantize(source, [image.numpy() for image in images], in_fp32, draft)
    return dict(int8=dict(calibration_images=len(images), largest_error=options.int8_error, in_fp32=in_fp32))


def check_target(target: Path, format: str, overwrite: bool) -> None:
    """Check that a file may be written, before any work is done.

    Raises:
        InputError: one of its files exists.
    """
    files = [*FORMATS[format].files(target), info_file(target)]
    there = [file for file in files if os.path.lexists(file)]
    if there and (not overwrite or any(file.is_dir() for file in there)):
        raise InputError(f'{there[0]} exists: name another folder, or say --overwrite')
