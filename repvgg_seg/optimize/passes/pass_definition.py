"""What a pass is: a function with what it needs, and the record of what it changed."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from ..options import Options


class Record(ABC):
    """What a pass changed, and what it left although one might expect it to be changed. Every pass has its own fields."""

    @abstractmethod
    def __str__(self) -> str:
        """The record in words, for the log."""


# A pass rewrites a model in eval mode and leaves alone what it cannot rewrite. It returns the model to go on with (the given
# one, or another over its parts) and a record, or None where there is nothing to tell.
Rewrite = Callable[[nn.Module, Options], tuple[nn.Module, Record | None]]


@dataclass(frozen=True)
class Need:
    """A fact about the model at an earlier point of the rewriting, measured only if a pass that runs needs it.

    Args:
        after: name of the pass after which it is measured, whether that pass runs or is left out.
        measure: returns the options with the fact in them.
    """

    after: str
    measure: Callable[[nn.Module, Options], Options]


def always(model: nn.Module, options: Options) -> bool:
    """Applies to every model."""
    return True


@dataclass(frozen=True)
class Pass:
    """A rewrite, as `optimize_for_inference` runs it.

    Args:
        name: under which it is logged, recorded and left out (`skip`).
        rewrite: the function.
        is_algebra: it rewrites the network itself. A model in which no pass of this kind finds anything is refused.
        applies: whether the pass has anything to do for this model and these options; asked before any pass runs.
        needs: measurements to take between passes.
        is_compared: the pass is undone where the model then raises or computes something else.
        is_remembered: where it was compared in an earlier call, for a model of the same structure, it is not compared again,
            since it computes by Winograd's algorithm or over phase images, which takes long on a small image.
        narrower: the same for a part, such as the backbone alone, tried where the model must go back from the whole.
    """

    name: str
    rewrite: Rewrite
    is_algebra: bool = False
    applies: Callable[[nn.Module, Options], bool] = always
    needs: tuple[Need, ...] = ()
    is_compared: bool = True
    is_remembered: bool = False
    narrower: Rewrite | None = None
