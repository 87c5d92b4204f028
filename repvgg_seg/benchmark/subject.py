"""One thing to be measured."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from ..measure.flops import Count
from ..reports.benchmark_table import Row


@dataclass
class Subject:
    """What one row of a benchmark measures.

    Args:
        name: name of the model.
        form: 'training', 'fused', 'optimized', or whatever else distinguishes the rows of one model.
        call: what is timed.
        examples: the number of examples that one call processes.
        model: its weights count as memory; None leaves memory out.
        count: parameters, FLOPs and Wino MULs of one example.
        paper: figures that the paper reports, shown beside, by the names in `reports.benchmark_table.COLUMNS`.
        size: (height, width) of the images in pixels, where there are images.
        has_memory: whether the memory of the call can be measured; that of another engine than torch cannot.
    """

    name: str
    form: str
    call: Callable[[], object]
    examples: int
    model: nn.Module | None = None
    count: Count | None = None
    paper: Row = field(default_factory=dict)
    size: tuple[int, int] | None = None
    has_memory: bool = True

    @property
    def size_name(self) -> str:
        """'HxW', or '' where there are no images."""
        return '{}x{}'.format(*self.size) if self.size else ''

    @property
    def key(self) -> str:
        """'NAME:FORM:HxW', which is unique within a benchmark."""
        return ':'.join(filter(None, (self.name, self.form, self.size_name)))
