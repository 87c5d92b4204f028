"""Pass 'memory_format': kernels and feature maps lie in memory as the device prefers it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from ...measure.timing import best_seconds
from ...models.memory_format import MEMORY_FORMATS, to_memory_format
from ..convert_input import convert_input
from ..options import Options, device_of
from .pass_definition import Record


@dataclass(frozen=True)
class MemoryFormatRecord(Record):
    """The memory format that was chosen.

    Args:
        memory_format: 'channels_first' or 'channels_last'.
        seconds: time of the model in each format, where the choice was measured.
    """

    memory_format: str
    seconds: Mapping[str, float]

    def __str__(self) -> str:
        times = ', '.join(f'{name} {1e3 * time:.1f} ms' for name, time in self.seconds.items())
        return self.memory_format.replace('_', ' ') + (f' ({times})' if times else '')


def set_memory_format(model: nn.Module, options: Options) -> tuple[nn.Module, MemoryFormatRecord]:
    """Store kernels and feature maps in `options.memory_format`, in place.

    'auto' is channels last on a CPU, whose convs copy anything else first, and for half precision on a GPU, whose matrix
    units want it. For fp32 on a GPU both are measured and the faster one is taken.
    """
    choice = options.memory_format
    times: dict[str, float] = {}
    if choice == 'auto' and (device_of(model).type == 'cpu' or options.dtype is not torch.float32):
        choice = 'channels_last'
    if choice == 'auto':
        times = _time_memory_formats(model, options)
        choice = min(times, key=lambda name: times[name])
    if choice == 'channels_last':
        to_memory_format(model, torch.channels_last)
        convert_input(model, memory_format=torch.channels_last)
    return model, MemoryFormatRecord(choice, times)


@torch.inference_mode()
def _time_memory_formats(model: nn.Module, options: Options) -> dict[str, float]:
    """Seconds of a copy of the model in each format."""
    image = options.example(model)
    calls: dict[str, Callable[[], object]] = {}
    for name, memory_format in MEMORY_FORMATS.items():
        twin = to_memory_format(copy.deepcopy(model), memory_format)
        calls[name] = partial(twin, image.contiguous(memory_format=memory_format))
    return best_seconds(calls, image.device, rounds=2)
