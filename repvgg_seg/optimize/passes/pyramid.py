"""Pass 'pyramid': the pyramid of a PSP head is folded into the conv behind it."""

from dataclasses import dataclass

from mmseg.models.decode_heads import PSPHead
from torch import nn

from ...models.folded_psp_head import FoldedPSPHead, is_foldable
from ...models.replace_module import replace_module
from ..options import Options
from .pass_definition import Record


@dataclass(frozen=True)
class PyramidRecord(Record):
    """The pyramids that were folded and the number of those that were not.

    Args:
        folded: the bins of every pyramid that was folded.
        left: number of heads whose pyramid was not folded.
    """

    folded: tuple[tuple[int, ...], ...]
    left: int

    def __str__(self) -> str:
        said = [f'pyramid of bins {", ".join(map(str, bins))} folded into the head' for bins in self.folded]
        if self.left:
            said.append(f'{self.left} pyramids left as they are: the head or its 3x3 conv is not the usual one')
        return '; '.join(said)


def fold_pyramid(model: nn.Module, options: Options) -> tuple[nn.Module, PyramidRecord | None]:
    """Put a `FoldedPSPHead` in deploy form in the place of every PSP head.

    A head that computes its pyramid in its own way is left.
    """
    heads = [head for head in model.modules() if isinstance(head, PSPHead) and not getattr(head, 'deploy', False)]
    folded = []
    for head in heads:
        if isinstance(head, FoldedPSPHead):
            replacement = head
        elif is_foldable(head):
            replacement = FoldedPSPHead.from_head(head)
        else:
            continue
        replacement.switch_to_deploy()
        folded.append(replacement.bottleneck.bins)
        model = replace_module(model, head, replacement)
    return model, PyramidRecord(tuple(folded), len(heads) - len(folded)) if heads else None
