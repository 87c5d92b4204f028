"""Events of torch's CPU allocator. torch gives them out in private results of its profiler only."""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
from mmengine.logging import print_log


def peak_on_cpu(call: Callable[[], object]) -> int:
    """The most bytes that torch's CPU allocator has given out at one time during a call.

    Where the private events cannot be read, the public totals of each operator stand in: they miss what an operator
    allocates and frees again within itself, so that the peak may come out too low.
    """
    return _peak(call, _allocations if _can_read_allocations() else _operator_totals)


Profile = torch.profiler.profile
Reader = Callable[[Profile], Iterator[tuple[float, int]]]


def _peak(call: Callable[[], object], read: Reader) -> int:
    """The largest sum of bytes, in the order of time, of the events that `read` finds in the profile of a call."""
    os.environ.setdefault('KINETO_LOG_LEVEL', '99')  # otherwise the profiler writes to stderr when it starts and stops
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        call()
    held = peak = 0
    for _, size in sorted(read(profile), key=lambda event: event[0]):
        held += size
        peak = max(peak, held)
    return peak


def _allocations(profile: Profile) -> Iterator[tuple[float, int]]:
    """Time and bytes of every allocation, and, negative, of every release."""
    events: Any = profile.profiler.kineto_results.events()  # type: ignore[union-attr]  # its hints allow no profiler
    for event in events:
        if event.name() == '[memory]':
            yield event.start_ns(), event.nbytes()


def _operator_totals(profile: Profile) -> Iterator[tuple[float, int]]:
    """Time and bytes of what every operator leaves allocated, and of what is released between operators."""
    for event in profile.events():
        yield event.time_range.end, event.self_cpu_memory_usage


@lru_cache(maxsize=1)
def _can_read_allocations() -> bool:
    """Whether the private events give the peak of a small case: 1024 + 2048 bytes, then 2048 + 512."""

    def call() -> None:
        first = torch.empty(1024, dtype=torch.uint8, device='cpu')
        second = torch.empty(2048, dtype=torch.uint8, device='cpu')
        del first
        third = torch.empty(512, dtype=torch.uint8, device='cpu')
        del second, third

    try:
        found = _peak(call, _allocations)
    except (AttributeError, TypeError) as error:
        reason = str(error)
    else:
        if found == 3072:
            return True
        reason = f'{found} bytes in place of 3072 in a small case'
    print_log(f"peak memory is taken from the totals of operators: torch's allocator events say {reason}", 'current')
    return False
