"""Timing of calls: for a report, and to choose between several ways of computing the same."""

import time
from collections.abc import Callable, Mapping

import torch


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done the work that it was given; do nothing on a CPU."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def seconds(call: Callable[[], object], device: torch.device, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that one call takes, including the work that it gives to a GPU.

    Args:
        call: what is timed.
        device: where it computes.
        clock: returns the time in seconds; the wall clock by default.
    """
    synchronize(device)
    start = clock()
    call()
    synchronize(device)
    return clock() - start


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    device: torch.device,
    rounds: int,
    warmup: int = 1,
    done: Callable[[], object] = lambda: None,
) -> dict[str, list[float]]:
    """Seconds of every call in every round.

    The calls take turns, A B C A B C ..., so that a machine that is slow for a while slows all of them alike.

    Args:
        calls: name -> what is timed.
        device: where they compute.
        rounds: how often each call is timed.
        warmup: untimed calls of each beforehand.
        done: called after every call, also after the untimed ones.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(-warmup, rounds):
        for name, call in calls.items():
            taken = seconds(call, device)
            if round_ >= 0:
                times[name].append(taken)
            done()
    return times


def best_seconds(calls: Mapping[str, Callable[[], object]], device: torch.device, rounds: int = 3) -> dict[str, float]:
    """The least seconds of each call over a few rounds, and one more to warm up, in which the calls take turns.

    This is for choosing between the calls. On a CPU the processor time of this process is measured, so that the
    other processes of a busy machine do not decide.

    Args:
        calls: name -> what is timed.
        device: where they compute.
        rounds: how often each call is timed.
    """
    clock = time.perf_counter if device.type == 'cuda' else time.process_time
    best = dict.fromkeys(calls, float('inf'))
    for _ in range(rounds + 1):
        for name, call in calls.items():
            best[name] = min(best[name], seconds(call, device, clock))
    return best
