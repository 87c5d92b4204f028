"""Files for OpenVINO."""

import logging
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from .onnx import conv_nodes, write_onnx
from .run_of_engine import Run, Settings


def write_openvino(network: nn.Module, example: Tensor, any_size: bool, precision: str, path: Path) -> None:
    """Write a network by way of ONNX, which OpenVINO reads.

    `openvino.convert_model`, which takes a network of torch, sends a note of every call to its makers.
    """
    import openvino

    with TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder, 'network.onnx')
        write_onnx(network, example, any_size, precision, file)
        openvino.save_model(openvino.Core().read_model(file), path, compress_to_fp16=precision == 'fp16')


def quantize_openvino(source: Path, images: Sequence[np.ndarray], in_fp32: Collection[str], path: Path) -> None:
    """Write a file for OpenVINO in which convs are computed in 8 bits, by NNCF, from a file in fp32 for ONNX Runtime.

    Args:
        source: the file for ONNX Runtime.
        images: (1, C, H, W) each, as the file takes them, from which the ranges of the feature maps are taken.
        in_fp32: names of convs that stay in fp32.
        path: the file to write.
    """
    import openvino

    os.environ.setdefault('NNCF_CI', '1')  # otherwise it reports every call to its makers
    import nncf

    nncf.set_log_level(logging.ERROR)
    nodes = conv_nodes(source, in_fp32)
    # OpenVINO adds to the name of a conv whose bias it has set apart.
    scope = nncf.IgnoredScope(
        names=[*nodes, *(f'{node}/WithoutBiases' for node in nodes)],
        types=['MatMul', 'Add', 'Multiply'],
        validate=False,
    )
    overflow = nncf.OverflowFix.ENABLE  # 7 bits of a weight: sums stay within 16 bits on a processor without VNNI
    quantized = nncf.quantize(
        openvino.Core().read_model(source),
        nncf.Dataset(images),
        subset_size=len(images),
        ignored_scope=scope,
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=overflow),
    )
    openvino.save_model(quantized, path, compress_to_fp16=False)


def load_openvino(path: Path, precision: str, settings: Settings) -> Run:
    """A function from images to logits, by OpenVINO on the CPU.

    Left to itself it computes in bf16 on a processor that has it. A file of weights in fp16 is computed in fp32.
    """
    import openvino

    properties = {
        'INFERENCE_PRECISION_HINT': 'bf16' if precision == 'bf16' else 'f32',
        'INFERENCE_NUM_THREADS': torch.get_num_threads(),
        'PERFORMANCE_HINT': 'LATENCY',
    }
    compiled = openvino.Core().compile_model(path, 'CPU', properties)
    if precision == 'bf16' and compiled.get_property('INFERENCE_PRECISION_HINT') != openvino.Type.bf16:
        print_log(f'{path.name}: this processor has no bf16, so it computes in fp32', 'current', logging.WARNING)

    def run(images: np.ndarray) -> np.ndarray:
        return compiled([images])[0].copy()

    return run
