"""The formats of exported files: what each can do, and what has to be installed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor, nn

from ..errors import InputError
from .ncnn import load_ncnn, write_ncnn
from .onnx import load_onnx, write_onnx
from .openvino import load_openvino, write_openvino
from .run_of_engine import Run
from .torch_export import load_torch_export, write_torch_export

Write = Callable[[nn.Module, Tensor, bool, str, Path], None]


@dataclass(frozen=True)
class Format:
    """One format of files.

    Args:
        name: as a user says it.
        engine: what runs the files, as messages call it.
        suffix: of the file that is named; with `has_weights_file`, its weights are in another that ends in .bin.
        write: (network, example image, any size, precision, file) -> None.
        load: (file, precision) -> function from images to logits.
        writes_by, runs_by: packages that have to be installed.
        precisions: in which the engine can compute, or store the weights.
        any_size: whether a file may take images of any size.
        undilated: whether the engine is faster on dilated layers that are laid out as undilated ones.
    """

    name: str
    engine: str
    suffix: str
    write: Write
    load: Callable[[Path, str], Run]
    writes_by: tuple[str, ...] = ()
    runs_by: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ('fp32',)
    any_size: bool = True
    has_weights_file: bool = False
    undilated: bool = False

    def files(self, path: Path) -> list[Path]:
        """The files of a network, the one that is named last."""
        return [path.with_suffix('.bin'), path] if self.has_weights_file else [path]

    def versions(self) -> dict[str, str]:
        """Those of the packages that write and run the files."""
        found = {}
        for name in dict.fromkeys((*self.writes_by, *self.runs_by)):
            with suppress(PackageNotFoundError):
                found[name] = version(name)
        return found

    def check_installed(self, to_write: bool) -> None:
        """Raise `InputError` where a package is missing, with the line that installs it.

        Args:
            to_write: whether a file is to be written, and then run, or run alone.
        """
        needed = dict.fromkeys((*(self.writes_by if to_write else ()), *self.runs_by))
        missing = [name for name in needed if find_spec(name) is None]
        if missing:
            raise InputError(
                f'{self.engine} needs {", ".join(needed)}, and {" and ".join(missing)} '
                f"{'is' if len(missing) == 1 else 'are'} not installed: pip install 'repvgg_seg[{self.name}]'"
            )


FORMATS = {
    format.name: format
    for format in (
        Format('onnx', 'ONNX Runtime', '.onnx', write_onnx, load_onnx, ('onnx', 'onnxscript'), ('onnxruntime',)),
        Format(
            'openvino',
            'OpenVINO',
            '.xml',
            write_openvino,
            load_openvino,
            ('onnx', 'onnxscript'),
            ('openvino',),
            precisions=('fp32', 'bf16', 'fp16'),
            has_weights_file=True,
        ),
        Format(
            'ncnn',
            'ncnn',
            '.ncnn.param',
            write_ncnn,
            load_ncnn,
            ('pnnx',),
            ('ncnn',),
            precisions=('fp32', 'bf16'),
            any_size=False,
            has_weights_file=True,
            undilated=True,
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
    format.check_installed(to_write=True)
    return format
