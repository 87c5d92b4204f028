"""Files for ONNX Runtime."""

import logging
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .exported_program import exported_program
from .run_of_engine import Run, Settings


def write_onnx(network: nn.Module, example: Tensor, any_size: bool, precision: str, path: Path) -> None:
    """Write a network by torch's own exporter."""
    program = exported_program(network, example, any_size)
    with _quiet_exporter():
        made = torch.onnx.export(program, input_names=['image'], output_names=['logits'], verbose=False)
    assert made is not None  # it is, with dynamo, the default
    for node in made.model.graph.all_nodes():
        namespace = node.metadata_props.get('namespace', '')
        node.metadata_props.clear()  # of traces through the files of this machine
        node.metadata_props['namespace'] = namespace  # the module that the node comes from
    made.save(path, external_data=False)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep what the exporter says about itself and about packages that it does not need off the screen."""
    loggers = [logging.getLogger(name) for name in ('torch.onnx', None)]  # ONNX Runtime's quantiser writes to the root
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def conv_nodes(path: Path, convs: Collection[str]) -> list[str]:
    """The names of the nodes of some convs in an ONNX file.

    Args:
        path: the file, as `write_onnx` writes it.
        convs: names of convs in the network that it was made of.
    """
    import onnx

    weights = {f'{conv}.weight' for conv in convs}
    nodes = onnx.load(path, load_external_data=False).graph.node
    return [node.name for node in nodes if node.op_type == 'Conv' and node.input[1] in weights]


def quantize_onnx(source: Path, images: Sequence[np.ndarray], in_fp32: Collection[str], path: Path) -> None:
    """Write an ONNX file in which convs are computed in 8 bits, by ONNX Runtime's static quantisation.

    Args:
        source: the file in fp32.
        images: (1, C, H, W) each, as the file takes them, from which the ranges of the feature maps are taken.
        in_fp32: names of convs that stay in fp32.
        path: the file to write.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Images(CalibrationDataReader):
        def __init__(self) -> None:
            self._rest = iter(images)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self._rest, None)
            return None if image is None else {'image': image}

    with _quiet_exporter():
        quantize_static(
            source,
            path,
            Images(),
            op_types_to_quantize=['Conv'],
            per_channel=True,
            reduce_range=True,  # 7 bits of a weight: sums of products stay within 16 bits where there is no VNNI
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=conv_nodes(source, in_fp32),
        )


def load_onnx(path: Path, precision: str, settings: Settings) -> Run:
    """A function from images to logits, by ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])

    def run(images: np.ndarray) -> np.ndarray:
        (logits,) = session.run(None, {'image': images})
        return logits

    return run
