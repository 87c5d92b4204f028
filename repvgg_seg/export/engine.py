"""An exported file, called as a model."""

import os
import reprlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError, beginning_of
from ..files import sha256
from .engine_info import EngineInfo, info_file, read_info
from .formats import FORMATS, format_of_file
from .run_of_engine import Run


class Engine(nn.Module):
    """The network in an exported file, images (N, C, H, W) -> logits (N, classes, h, w), on the CPU.

    Args:
        file: the file.
        info: what is known of it.
        run: the network.

    Attributes:
        file, info: as given.
    """

    def __init__(self, file: Path, info: EngineInfo, run: Run):
        super().__init__()
        self.file, self.info, self._run = file, info, run

    @property
    def name(self) -> str:
        """The engine and its precision, as records name the form of a network."""
        return f'{self.info.format}-{self.info.precision}'

    @property
    def stem(self) -> str:
        """The name of the file without its ending."""
        return self.file.name.removesuffix(FORMATS[self.info.format].suffix)

    @property
    def meta(self) -> dict[str, Any]:
        """The classes as a checkpoint holds them; without names, where the network was exported without."""
        classes, palette = self.info.classes, self.info.palette
        if classes == tuple(f'class {i}' for i in range(len(classes))):
            return {}
        return dict(dataset_meta=dict(classes=classes, palette=palette))

    def facts(self) -> dict[str, Any]:
        """What a record says of the file."""
        files = FORMATS[self.info.format].files(self.file)
        return dict(
            format=self.info.format,
            precision=self.info.precision,
            size=self.info.size,
            sha256={file.name: sha256(file) for file in files},
            about=self.info.about,
        )

    def forward(self, images: Tensor | np.ndarray) -> Tensor:
        """The logits of images, at the stride of the network.

        Args:
            images: (N, C, H, W), of any number type. Where `info.normalizes`, as OpenCV reads them, BGR from 0 to 255;
                otherwise as the data preprocessor gives them.

        Returns:
            (N, classes, h, w) in fp32, on the device of the images.

        Raises:
            InputError: the file takes no such images, or the engine cannot compute them.
        """
        if not isinstance(images, (Tensor, np.ndarray)):
            raise InputError(
                f'images are a tensor or an array (N, {self.info.channels}, H, W), got a {type(images).__name__}'
            )
        given = torch.as_tensor(images)
        self._check(tuple(given.shape))
        values = np.ascontiguousarray(given.detach().to('cpu', torch.float32).numpy())
        one_by_one = self.info.size is not None
        try:
            parts = [self._run(part) for part in np.split(values, len(values))] if one_by_one else [self._run(values)]
        except Exception as error:  # every engine has errors of its own
            height, width = values.shape[2:]
            raise InputError(
                f'{self.file} cannot compute images of {height}x{width} (height x width): {beginning_of(error)}'
            ) from error
        return torch.from_numpy(np.concatenate(parts) if len(parts) > 1 else parts[0]).to(given.device)

    def __reduce__(self) -> tuple[Any, ...]:
        return load_engine, (self.file,)  # a copy, also in another process, reads the file again

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 4 or shape[1] != self.info.channels or 0 in shape:
            raise InputError(f'{self.file} takes images (N, {self.info.channels}, H, W), got {shape}')
        size = self.info.size
        if size is not None and size != shape[2:]:
            raise InputError(
                f'{self.file} takes images of {size[0]}x{size[1]} (height x width) alone, got {shape[2]}x{shape[3]}: resize '
                'them, or export the network for this size or for any'
            )


def is_engine_file(path: object) -> bool:
    """Whether a path ends as an exported file does."""
    return isinstance(path, (str, os.PathLike)) and format_of_file(Path(path)) is not None


def load_engine(file: str | os.PathLike[str]) -> Engine:
    """Load a file that tools/export.py has written, to be called as a model: images to logits, on the CPU.

    It computes with as many threads as torch has when it is loaded (`torch.set_num_threads`).

    Args:
        file: path that ends in .onnx (ONNX Runtime), .xml (OpenVINO), .ncnn.param (ncnn) or .pt2 (torch.export); the files that
            were written with it lie beside it.

    Returns:
        A module; its `info` holds classes, colours and what images it takes.

    Raises:
        InputError: there is no such file, it is damaged or none of these, or its engine is not installed.
    """
    if not isinstance(file, (str, os.PathLike)):
        raise InputError(f'an exported file is named by its path, got {reprlib.repr(file)} ({type(file).__name__})')
    path = Path(file)
    format = format_of_file(path)
    if format is None:
        endings = ', '.join(known.suffix for known in FORMATS.values())
        raise InputError(f'{path} is no exported file, by its ending: name one that ends in {endings}')
    for part in format.files(path):
        if not part.is_file():
            raise InputError(f'no file {part}' + (f', which belongs to {path.name}' if part != path else ''))
    info = read_info(path)
    if info.format != format.name:
        raise InputError(
            f'{path} is a file for {format.engine}, and what lies beside it says {info.format}: export it again'
        )
    if info.settings not in format.settings:
        raise InputError(
            f'{info_file(path)} has other settings than {format.engine} is given: export the network again'
        )
    format.check_installed(to_write=False)
    try:
        return Engine(path, info, format.load(path, info.precision, info.settings)).eval()
    except Exception as error:  # every engine has errors of its own
        raise InputError(f'{format.engine} cannot read {path}: {beginning_of(error)}') from error
