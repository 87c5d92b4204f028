"""What the parts of a model get and give while it runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def watched(parts: Sequence[nn.Module], hooks: Sequence[Any]) -> Iterator[None]:
    """Call a forward hook after each of some parts of a model; the hooks are removed at the end, whatever happens."""
    handles = [part.register_forward_hook(hook) for part, hook in zip(parts, hooks, strict=True)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
