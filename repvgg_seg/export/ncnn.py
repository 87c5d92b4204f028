"""Files for ncnn."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from .run_of_engine import Run, Settings


def write_ncnn(network: nn.Module, example: Tensor, any_size: bool, precision: str, path: Path) -> None:
    """Write a network by pnnx, ncnn's own converter.

    Its program is called, and not `pnnx.export`, which imports a module that it has written.

    Raises:
        InputError: pnnx cannot convert the network.
    """
    import pnnx

    with TemporaryDirectory(dir=path.parent) as folder:
        with torch.no_grad():
            torch.jit.trace(network, example, check_trace=False).save(str(Path(folder, 'network.pt')))
        shape = ','.join(map(str, example.shape))
        command = [pnnx.EXEC_PATH, 'network.pt', f'inputshape=[{shape}]', 'fp16=0']
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding='utf-8', errors='replace')
        written = [Path(folder, f'network.ncnn.{ending}') for ending in ('param', 'bin')]
        if done.returncode or not all(file.is_file() for file in written):
            said = (done.stderr or done.stdout).strip().splitlines()
            raise InputError(f'pnnx cannot convert this network (status {done.returncode}): {said[-1] if said else ""}')
        for file, target in zip(written, (path, path.with_suffix('.bin')), strict=True):
            shutil.move(file, target)


def load_ncnn(path: Path, precision: str, settings: Settings) -> Run:
    """A function from images to logits, by ncnn on the CPU, with options of ncnn that are set as `settings` says.

    Raises:
        RuntimeError: ncnn cannot read the files; it prints why.
    """
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = torch.get_num_threads()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = precision == 'bf16'
    for name, value in settings.items():
        setattr(net.opt, name, value)
    if net.load_param(str(path)) or net.load_model(str(path.with_suffix('.bin'))):
        raise RuntimeError('a layer that it does not have, or a damaged file')

    def run(images: np.ndarray) -> np.ndarray:
        extractor = net.create_extractor()
        image = ncnn.Mat(images[0])  # which does not keep the array alive
        extractor.input('in0', image)
        status, logits = extractor.extract('out0')
        if status:
            raise RuntimeError(f'ncnn ended with status {status}')
        return np.array(logits)[None]

    return run
