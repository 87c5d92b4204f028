"""Memory that a model and a call hold."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .allocator_events import peak_on_cpu
from .timing import synchronize


def peak_memory(call: Callable[[], object], device: torch.device) -> int:
    """The most bytes that a call holds at one time beyond what was held before it: activations and workspaces.

    On a CPU these are the bytes that torch's allocator gives out and takes back, on a GPU the statistics of `torch.cuda`.

    Args:
        call: what is measured.
        device: where it computes.
    """
    if device.type != 'cuda':
        return peak_on_cpu(call)
    synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call()
    synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def held_bytes(model: nn.Module) -> int:
    """Bytes of the weights of a model, including tensors that are neither parameters nor buffers (packed kernels)."""
    tensors = [tensor for module in model.modules() for tensor in vars(module).values() if isinstance(tensor, Tensor)]
    tensors += [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
