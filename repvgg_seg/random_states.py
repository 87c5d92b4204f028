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
