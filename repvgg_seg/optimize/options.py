"""The options of `optimize_for_inference`, checked."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..models.memory_format import MEMORY_FORMATS
from .measurements import Measurements, cache_folder
from .phase_images import LAYOUTS

DTYPES = dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16)
DILATIONS = ('auto', 'dilated', *LAYOUTS)
MEMORIES = ('fused', 'free')


@dataclass(frozen=True)
class Options:
    """The options of `optimize_for_inference`, checked.

    Args:
        input_shape: (N, C, H, W) of the images for which choices are measured.
        dtype: number type that the network computes in: float32, bfloat16 or float16.
        memory_format: 'channels_first', 'channels_last', or 'auto' for the faster one.
        dilation: layout of the phase images of dilated runs, 'batch' or 'gutter', 'dilated' to leave the runs as they are,
            or 'auto' for the fastest.
        compile: whether the model is compiled.
        memory: what a rewrite that trades memory for speed may take, weights and activations together: 'fused', no more than
            the fused model does, 'free', what the machine has to spare, or a number of MiB.
        measure_anew: whether figures that are remembered from an earlier call are measured once more.
        measurements: where figures are looked up; in this process alone by default.
        memory_of_fused: bytes that the fused model takes; measured by `optimize_for_inference`, not given by the user.
    """

    input_shape: tuple[int, int, int, int] = (1, 3, 512, 512)
    dtype: torch.dtype = torch.float32
    memory_format: str = 'auto'
    dilation: str = 'auto'
    compile: bool = False
    memory: str | int = 'free'
    measure_anew: bool = False
    measurements: Measurements = field(default_factory=Measurements, compare=False)
    memory_of_fused: int = 0

    def example(self, model: nn.Module) -> Tensor:
        """A random batch to measure with, on the device of the model."""
        return torch.rand(self.input_shape, device=device_of(model))


def checked_options(
    input_shape: Iterable[int],
    dtype: str | torch.dtype,
    memory_format: str,
    dilation: str,
    compile: bool,
    memory: str | int,
    measure_anew: bool,
) -> Options:
    """The options as a user gives them.

    Raises:
        InputError: an option out of its range; names the value and what is allowed.
    """
    shape = tuple(input_shape) if isinstance(input_shape, Iterable) else ()
    if len(shape) != 4 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise InputError(f'input_shape must be four positive integers, (N, C, H, W), got {input_shape!r}')
    if not isinstance(dtype, torch.dtype):
        check_one_of('dtype', dtype, DTYPES)
        dtype = DTYPES[dtype]
    elif dtype not in DTYPES.values():
        raise InputError(f'dtype must be one of {", ".join(DTYPES)}, got {dtype!r}')
    check_one_of('memory_format', memory_format, ('auto', *MEMORY_FORMATS))
    check_one_of('dilation', dilation, DILATIONS)
    memory = checked_memory(memory)
    measurements = Measurements(cache_folder(), measure_anew)
    size = (shape[0], shape[1], shape[2], shape[3])
    return Options(size, dtype, memory_format, dilation, compile, memory, measure_anew, measurements)


def checked_memory(memory: str | int) -> str | int:
    """What a user gives as `memory`; a number may also come as text, from a command line.

    Raises:
        InputError: it is neither of the words nor a positive whole number.
    """
    number = int(memory) if isinstance(memory, str) and memory.isascii() and memory.isdigit() else memory
    if number in MEMORIES or (type(number) is int and number > 0):
        return number
    raise InputError(f'memory must be fused, free or a number of MiB, a positive integer, got {memory!r}')


def check_one_of(name: str, value: object, allowed: Collection[str]) -> None:
    """Raise `InputError` unless an argument has one of the values that are allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f'{name} must be one of {", ".join(allowed)}, got {value!r}')


def device_of(model: nn.Module) -> torch.device:
    """The device of a model's weights."""
    return next(model.parameters()).device
