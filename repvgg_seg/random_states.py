"""The random generators of a process."""

import random
from contextlib import ExitStack

import numpy as np
import torch


def kept_random_states() -> ExitStack:
    """A stack that, when it is closed, sets the random generators of Python, numpy and torch back to where they are now."""
    stack = ExitStack()
    stack.callback(random.setstate, random.getstate())
    stack.callback(np.random.set_state, np.random.get_state())
    stack.enter_context(torch.random.fork_rng(range(torch.cuda.device_count())))
    return stack


def seed_of(purpose: str, *place: int) -> int:
    """A seed of 32 bits that depends on a place alone, and differs from those of other places as if it were drawn.

    Args:
        purpose: what is going to be drawn, so that two purposes at the same place have different numbers.
        place: such as (seed of the run, process, iteration); not negative.
    """
    words = np.random.SeedSequence([*purpose.encode(), *place]).generate_state(1, np.uint32)
    return int(words[0])
