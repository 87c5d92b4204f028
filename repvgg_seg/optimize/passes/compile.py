"""Pass 'compile': torch.compile of the backbone and of the parts of the head."""

from dataclasses import dataclass

from torch import nn

from ..options import Options
from .pass_definition import Record


@dataclass(frozen=True)
class CompileRecord(Record):
    """Which parts of the model are compiled.

    Args:
        compiled: names of the modules that are compiled; '' is the model itself.
    """

    compiled: tuple[str, ...]

    def __str__(self) -> str:
        return 'the model compiled' if self.compiled == ('',) else 'backbone and parts of the head compiled'


def compile_parts(model: nn.Module, options: Options) -> tuple[nn.Module, CompileRecord | None]:
    """Compile a model where the options say so, in place. The first image of every size takes its time."""
    if not options.compile:
        return model, None
    parts = {'': model}
    if hasattr(model, 'decode_head'):
        # mmseg calls the forward() of a head, past what compile() sets: its parts are compiled one by one.
        head: nn.Module = model.get_submodule('decode_head')
        parts = {'backbone': model.get_submodule('backbone')}
        parts |= {f'decode_head.{name}': part for name, part in head.named_children()}
    for part in parts.values():
        part.compile()
    return model, CompileRecord(tuple(parts))
