"""Files for OpenVINO."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from .onnx import write_onnx
from .run_of_engine import Run


def write_openvino(network: nn.Module, example: Tensor, any_size: bool, precision: str, path: Path) -> None:
    """Write a network by way of ONNX, which OpenVINO reads.

    `openvino.convert_model`, which takes a network of torch, sends a note of every call to its makers.
    """
    import openvino

    with TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder, 'network.onnx')
        write_onnx(network, example, any_size, precision, file)
        openvino.save_model(openvino.Core().read_model(file), path, compress_to_fp16=precision == 'fp16')


def load_openvino(path: Path, precision: str) -> Run:
    """A function from images to logits, by OpenVINO on the CPU.

    Left to itself it computes in bf16 on a processor that has it. A file of weights in fp16 is computed in fp32.
    """
    import openvino

    settings = {
        'INFERENCE_PRECISION_HINT': 'bf16' if precision == 'bf16' else 'f32',
        'INFERENCE_NUM_THREADS': torch.get_num_threads(),
        'PERFORMANCE_HINT': 'LATENCY',
    }
    compiled = openvino.Core().compile_model(path, 'CPU', settings)
    if precision == 'bf16' and compiled.get_property('INFERENCE_PRECISION_HINT') != openvino.Type.bf16:
        print_log(f'{path.name}: this processor has no bf16, so it computes in fp32', 'current', logging.WARNING)

    def run(images: np.ndarray) -> np.ndarray:
        return compiled([images])[0].copy()

    return run
