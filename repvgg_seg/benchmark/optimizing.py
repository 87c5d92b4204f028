"""How long `optimize_for_inference` takes, once its choices are remembered, beside what copies and fuses the weights."""

import copy
from collections.abc import Iterator
from functools import partial

from torch import nn

from ..models.reparameterize import reparameterize_model
from ..optimize.optimize import optimize_for_inference
from .subject import Subject


def optimizing_subjects(name: str, model: nn.Module, memory: str | int) -> Iterator[Subject]:
    """Three ways to get another network of a segmentor: a copy, a fused copy, and an optimized one.

    Args:
        name: name of the rows.
        model: in eval mode; it stays as it is.
        memory: as `optimize_for_inference` takes it.
    """
    optimize = partial(optimize_for_inference, model, memory=memory)
    optimize()  # measures, and remembers what it has chosen
    yield Subject(name, 'copied', partial(copy.deepcopy, model), 1)
    yield Subject(name, 'fused', partial(reparameterize_model, model), 1)
    yield Subject(name, 'optimized, choices remembered', optimize, 1)
