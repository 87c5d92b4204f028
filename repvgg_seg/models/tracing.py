"""What a network does while `torch.jit.trace` or torch's older ONNX exporter, which uses it, records its operators.

The exporter loses what is written in place into a view. So everything is then computed out of place, for the sizes that
are seen: at another size, the traced network raises an error of shapes.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec('P')
T = TypeVar('T')

is_tracing = torch.jit.is_tracing


def fixed(size: Sequence[int]) -> tuple[int, ...]:
    """A size in plain numbers, also while it is traced, when torch makes tensors of them."""
    return tuple(int(length) for length in size) if is_tracing() else tuple(size)


def outside_of_trace(make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns, as a constant of the trace; torch records one thread only."""
    if not is_tracing():
        return make(*args, **kwargs)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make, *args, **kwargs).result()
