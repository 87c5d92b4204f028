"""A module of another class over the parts of one that exists."""

import copy
from typing import TypeVar

from torch import nn

M = TypeVar('M', bound=nn.Module)


def take_over(cls: type[M], module: nn.Module) -> M:
    """A new module of a class with all that belongs to another module: parts, settings, hooks.

    The constructor is not called, because it would build all parts anew. `cls` needs no attribute that `module` lacks.
    """
    new = cls.__new__(cls)
    new.__dict__.update(
        {name: copy.copy(value) if isinstance(value, (dict, set)) else value for name, value in vars(module).items()}
    )
    return new
