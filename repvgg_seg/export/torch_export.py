"""Files of torch.export, which torch itself reads, without the code of this package."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .exported_program import exported_program
from .run_of_engine import Run, Settings


def write_torch_export(network: nn.Module, example: Tensor, any_size: bool, precision: str, path: Path) -> None:
    """Write a network as torch.export records it."""
    program = exported_program(network, example, any_size)
    with _quiet():
        torch.export.save(program, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what writer and reader warn of, which they handle themselves, off the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


def load_torch_export(path: Path, precision: str, settings: Settings) -> Run:
    """A function from images to logits, by torch on the CPU."""
    with _quiet():
        network = torch.export.load(path).module()

    @torch.no_grad()
    def run(images: np.ndarray) -> np.ndarray:
        return network(torch.from_numpy(images)).numpy()

    return run
