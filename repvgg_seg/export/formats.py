"""The formats of exported files: what each can do, and what has to be installed."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from ..errors import InputError
from .ncnn import load_ncnn, write_ncnn
from .onnx import load_onnx, quantize_onnx, write_onnx
from .openvino import load_openvino, quantize_openvino, write_openvino
from .run_of_engine import Run, Settings
from .torch_export import load_torch_export, write_torch_export

Write = Callable[[nn.Module, Tensor, bool, str, Path], None]
Load = Callable[[Path, str, Settings], Run]
Quantize = Callable[[Path, Sequence[np.ndarray], Collection[str], Path], None]


@dataclass(frozen=True)
class Format:
    """One format of files.

    Args:
        name: as a user says it.
        engine: what runs the files, as messages call it.
        suffix: of the file that is named; with `has_weights_file`, its weights are in another that ends in .bin.
        write: (network, example image, any size, precision, file) -> None.
        load: (file, precision, settings) -> function from images to logits.
        quantize: (file in ONNX, images, names of convs that stay in fp32, file) -> None, for a precision of 'int8'.
        writes_by, quantizes_by, runs_by: packages that have to be installed.
        precisions: in which the engine can compute, or store the weights.
        any_size: whether a file may take images of any size.
        undilated: whether the engine is faster on dilated layers that are laid out as undilated ones.
        settings: of the engine, of which the fastest for a network are chosen when its file is written.
    """

    name: str
    engine: str
    suffix: str
    write: Write
    load: Load
    quantize: Quantize | None = None
    writes_by: tuple[str, ...] = ()
    quantizes_by: tuple[str, ...] = ()
    runs_by: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ('fp32',)
    any_size: bool = True
    has_weights_file: bool = False
    undilated: bool = False
    settings: tuple[Settings, ...] = ({},)

    def files(self, path: Path) -> list[Path]:
        """The files of a network, the one that is named last."""
        return [path.with_suffix('.bin'), path] if self.has_weights_file else [path]

    def versions(self) -> dict[str, str]:
        """Those of the packages that write and run the files."""
        found = {}
        for name in dict.fromkeys((*self.writes_by, *self.quantizes_by, *self.runs_by)):
            with suppress(PackageNotFoundError):
                found[name] = version(name)
        return found

    def check_installed(self, to_write: bool, precision: str = 'fp32') -> None:
        """Raise `InputError` where a package is missing, with the line that installs it.

        Args:
            to_write: whether a file is to be written, and then run, or run alone.
            precision: of the file that is written.
        """
        writers = self.writes_by + (self.quantizes_by if precision == 'int8' else ())
        needed = dict.fromkeys((*(writers if to_write else ()), *self.runs_by))
        missing = [name for name in needed if find_spec(name) is None]
        if missing:
            raise InputError(
                f'{self.engine} needs {", ".join(needed)}, and {" and ".join(missing)} '
                f"{'is' if len(missing) == 1 else 'are'} not installed: pip install 'repvgg_seg[{self.name}]'"
            )


FORMATS = {
    format.name: format
    for format in (
        Format(
            'onnx',
            'ONNX Runtime',
            '.onnx',
            write_onnx,
            load_onnx,
            quantize_onnx,
            writes_by=('onnx', 'onnxscript'),
            runs_by=('onnxruntime',),
            precisions=('fp32', 'int8'),
        ),
        Format(
            'openvino',
            'OpenVINO',
            '.xml',
            write_openvino,
            load_openvino,
            quantize_openvino,
            writes_by=('onnx', 'onnxscript'),
            quantizes_by=('nncf',),
            runs_by=('openvino',),
            precisions=('fp32', 'bf16', 'fp16', 'int8'),
            has_weights_file=True,
        ),
        Format(
            'ncnn',
            'ncnn',
            '.ncnn.param',
            write_ncnn,
            load_ncnn,
            writes_by=('pnnx',),
            runs_by=('ncnn',),
            precisions=('fp32', 'bf16'),
            any_size=False,
            has_weights_file=True,
            undilated=True,
            settings=(dict(use_packing_layout=True), dict(use_packing_layout=False)),
        ),
        Format('torch-export', 'torch.export', '.pt2', write_torch_export, load_torch_export),
    )
}
PRECISIONS = tuple(dict.fromkeys(precision for format in FORMATS.values() for precision in format.precisions))


def format_of_file(path: Path) -> Format | None:
    """The format that the ending of a file names; None for no engine file."""
    return next((format for format in FORMATS.values() if path.name.endswith(format.suffix)), None)


def chosen_format(name: str, precision: str, size: tuple[int, int] | None) -> Format:
    """The format of a name, which can be written here.

    Raises:
        InputError: there is none of this name, it has no such precision, needs a size, or a package is missing.
    """
    if name not in FORMATS:
        raise InputError(f'a format is one of {", ".join(FORMATS)}, got {name!r}')
    format = FORMATS[name]
    if precision not in format.precisions:
        raise InputError(f'{format.engine} computes in {" or ".join(format.precisions)} here, got {precision!r}')
    if size is None and not format.any_size:
        raise InputError(f'a file for {format.engine} takes images of one size: name it, such as --size 512 1024')
    if size is not None and not (len(size) == 2 and all(side > 0 for side in size)):
        raise InputError(f'the size of images is height and width in pixels, got {" ".join(map(str, size))}')
    format.check_installed(to_write=True, precision=precision)
    return format


def formats_that_can(precision: str, size: tuple[int, int] | None) -> list[Format]:
    """The formats of a precision that can be written and run here.

    Args:
        precision: in which the engine computes.
        size: (H, W) of the only images that the file takes; None for any.

    Raises:
        InputError: there are none, and why.
    """
    found, missing = [], []
    for format in FORMATS.values():
        if precision not in format.precisions or not (size or format.any_size):
            continue
        try:
            found.append(chosen_format(format.name, precision, size))
        except InputError as error:
            missing.append(str(error))
    if not found:
        raise InputError(
            '; '.join(dict.fromkeys(missing))
            or f'no engine computes in {precision} images of any size: name one (--size H W)'
        )
    return found
