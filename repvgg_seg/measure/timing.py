"""Timing, peak memory and counts of a forward pass: what the benchmark reports and what the rewrites choose by."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


def synchronize(device: torch.device) -> None:
    """Wait for the work that a GPU still has; nothing on a CPU."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def seconds(
    call: 'Callable[[], object]', device: torch.device, clock: 'Callable[[], float]' = time.perf_counter
) -> float:
    """Seconds of one call by a clock, the wall's unless told; the GPU's work included."""
    synchronize(device)
    start = clock()
    call()
    synchronize(device)
    return clock() - start


def interleaved(
    calls: 'dict[str, Callable[[], object]]',
    device: torch.device,
    rounds: int,
    warmup: int = 1,
    done: 'Callable[[], object]' = lambda: None,
) -> 'dict[str, list[float]]':
    """Seconds of every call in every round, in turn, A B C A B C ...: what slows the machine for a while slows all of them.

    Args:
        calls: name -> what to time.
        rounds: how often each is timed.
        warmup: untimed calls of each beforehand.
        done: called after every call, also the untimed ones.
    """
    times = {name: [] for name in calls}
    for round_ in range(-warmup, rounds):
        for name, call in calls.items():
            taken = seconds(call, device)
            if round_ >= 0:
                times[name].append(taken)
            done()
    return times


def best_seconds(calls: 'dict[str, Callable[[], object]]', device: torch.device, rounds: int = 3) -> 'dict[str, float]':
    """The least seconds of each call over a few interleaved rounds, after one warm-up: to choose between them.

    On a CPU the seconds are those that the process itself computed, so that a busy machine does not decide.
    """
    clock = time.perf_counter if device.type == 'cuda' else time.process_time
    best = {}
    for _ in range(rounds + 1):
        warm = bool(best)
        for name, call in calls.items():
            best[name] = min(best[name] if warm else float('inf'), seconds(call, device, clock))
    return best


def peak_memory(call: 'Callable[[], object]', device: torch.device) -> int:
    """The most bytes a call holds at one time beyond what was held before it: activations and workspaces.

    On a CPU it is the sum of what torch's allocator gave and took back, event by event, which sees the copies inside
    an operator too; on a GPU `torch.cuda`'s own statistics.
    """
    if device.type == 'cuda':
        synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        call()
        synchronize(device)
        return torch.cuda.memory_stats(device)['allocated_bytes.all.peak'] - before
    os.environ.setdefault('KINETO_LOG_LEVEL', '99')  # torch's profiler tells stderr when it starts and stops
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == '[memory]']
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def held_bytes(model: nn.Module) -> int:
    """Bytes of the weights of a model, whichever layout they are packed in."""
    tensors = [tensor for module in model.modules() for tensor in vars(module).values() if isinstance(tensor, Tensor)]
    tensors += [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@dataclass(frozen=True)
class Count:
    """What a forward pass is made of.

    Args:
        params: parameters of the model.
        flops: multiply-adds, each counted once (paper, section 2.4).
        wino_muls: multiplications when every 3x3 conv of stride 1 runs as Winograd F(2x2, 3x3), 4/9 of its own
            (paper, section 2.4). Departure: a dilated one counts in full, since no library has Winograd for it.
    """

    params: int
    flops: int
    wino_muls: int


class _Counter(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.flops = self.wino_muls = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        with self:  # in inference mode a conv arrives before torch has taken it apart
            out = func.decompose(*args, **kwargs)
        if out is not NotImplemented:
            return out
        out = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            flops = formula(*args, **kwargs, out_val=out) // 2
            self.flops += flops
            self.wino_muls += flops * 4 // 9 if _has_winograd(func, args) else flops
        return out


def _has_winograd(func, args) -> bool:
    if func._overloadpacket is not torch.ops.aten.convolution:
        return False
    _, weight, _, stride, _, dilation, transposed = args[:7]
    return tuple(weight.shape[2:]) == (3, 3) and not transposed and set(stride) == set(dilation) == {1}


@torch.no_grad()
def count(model: nn.Module, inputs: Tensor) -> Count:
    """Count a forward pass as it runs, from the shapes that its convs and matrix products see.

    Args:
        model: in eval mode; called with `inputs`. Give both on the device 'meta' to count without computing.
    """
    with _Counter() as counter:
        model(inputs)
    return Count(sum(p.numel() for p in model.parameters()), counter.flops, counter.wino_muls)
