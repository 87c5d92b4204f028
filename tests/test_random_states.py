"""The random generators of a process are set back."""

import random

import numpy as np
import torch

from repvgg_seg.random_states import kept_random_states


def test_what_is_drawn_inside_changes_nothing():
    def draw():
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    with kept_random_states():
        first = draw()
    assert draw() == first
    assert draw() != first
