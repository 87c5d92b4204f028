"""Pass 'memory_format': kernels and feature maps lie in memory as the device prefers it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ...measure.timing import best_seconds
from ...models.memory_format import MEMORY_FORMATS, to_memory_format
from ..convert_input import convert_input
from ..options import Options, device_of
from ..structure import structure
from .pass_definition import Record


@dataclass(frozen=True)
class MemoryFormatRecord(Record):
    """The memory format that was chosen.

    Args:
        memory_format: 'channels_first' or 'channels_last'.
        seconds: time of the model in each format, where the choice was measured.
        backbone_only: the rest of the model stays as it was, and gets maps that are stored channels first.
    """

    memory_format: str
    seconds: Mapping[str, float]
    backbone_only: bool = False

    def __str__(self) -> str:
        times = ', '.join(f'{name} {1e3 * time:.1f} ms' for name, time in self.seconds.items())
        where = ' in the backbone alone, since the rest cannot run so' if self.backbone_only else ''
        return self.memory_format.replace('_', ' ') + where + (f' ({times})' if times else '')


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
        times = options.measurements.get(
            f'memory format of {structure(model, options)}',
            MEMORY_FORMATS,
            device_of(model),
            lambda: _time_memory_formats(model, options),
        )
        choice = min(times, key=lambda name: times[name])
    if choice == 'channels_last':
        to_memory_format(model, torch.channels_last)
        convert_input(model, memory_format=torch.channels_last)
    return model, MemoryFormatRecord(choice, times)


def set_memory_format_of_backbone(model: nn.Module, options: Options) -> tuple[nn.Module, MemoryFormatRecord | None]:
    """Store kernels and maps of the backbone channels last, in place, and hand the maps over channels first.

    For heads that take views of their maps, such as mmseg's `DMHead`.
    """
    backbone = getattr(model, 'backbone', None)
    if not isinstance(backbone, nn.Module) or options.memory_format == 'channels_first':
        return model, None
    to_memory_format(backbone, torch.channels_last)
    convert_input(model, memory_format=torch.channels_last)
    backbone.register_forward_hook(_to_channels_first)
    return model, MemoryFormatRecord('channels_last', {}, backbone_only=True)


def _to_channels_first(module: nn.Module, args: object, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Hook behind a backbone."""
    return tuple(feature.contiguous() for feature in maps)


@torch.inference_mode()
def _time_memory_formats(model: nn.Module, options: Options) -> dict[str, float]:
    """Seconds of a copy of the model in each format."""
    image = options.example(model)
    calls: dict[str, Callable[[], object]] = {}
    for name, memory_format in MEMORY_FORMATS.items():
        twin = to_memory_format(copy.deepcopy(model), memory_format)
        calls[name] = partial(twin, image.contiguous(memory_format=memory_format))
    return best_seconds(calls, image.device, rounds=2)
