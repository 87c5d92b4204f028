"""A network as torch.export records it, from which the files of several engines are made."""

import torch
from torch import Tensor, nn

from ..errors import InputError, beginning_of


def exported_program(network: nn.Module, example: Tensor, any_size: bool) -> torch.export.ExportedProgram:
    """Record a network of one input, `image`.

    Args:
        network: in eval mode, on the CPU.
        example: an image (N, C, H, W).
        any_size: leave N, H and W open.

    Raises:
        InputError: the network cannot be recorded, or not with an open height and width.
    """
    open_axis = torch.export.Dim.DYNAMIC
    shapes = dict(image={0: open_axis, 2: open_axis, 3: open_axis}) if any_size else None
    try:
        with torch.no_grad():
            program = torch.export.export(network, (example,), dynamic_shapes=shapes)
    except Exception as error:  # a network of somebody else's can raise anything
        what_to_do = ': name a size (--size H W)' if any_size else ''
        how = 'with open height and width' if any_size else f'for images of {example.shape[2]}x{example.shape[3]}'
        raise InputError(
            f'torch.export cannot record this network {how} ({beginning_of(error)}){what_to_do}'
        ) from error
    for node in program.graph.nodes:
        node.meta.pop('stack_trace', None)  # with the paths of this machine, for every operator
    return program
