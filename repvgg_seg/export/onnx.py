"""Files for ONNX Runtime."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .exported_program import exported_program
from .run_of_engine import Run


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
    logger = logging.getLogger('torch.onnx')
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(before)


def load_onnx(path: Path, precision: str) -> Run:
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
