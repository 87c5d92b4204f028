"""Pass 'fusion': the branches of every RepVGG block become one conv (paper, section 3.3)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from ...errors import InputError
from ...models.block import find_blocks
from ..options import Options
from .pass_definition import Record


@dataclass(frozen=True)
class FusionRecord(Record):
    """The blocks that were fused and those that stay.

    Args:
        fused: blocks that became one conv each.
        left: type of a norm that cannot be fused, or what else cannot -> number of its blocks.
    """

    fused: int
    left: Mapping[str, int]

    def __str__(self) -> str:
        said = [f'{self.fused} RepVGG blocks became one conv each'] if self.fused else []
        said += [f'{number} blocks left as they are: {norm} cannot be folded' for norm, number in self.left.items()]
        return '; '.join(said)


def fuse_repvgg(model: nn.Module, options: Options) -> tuple[nn.Module, FusionRecord | None]:
    """Fuse the RepVGG blocks, in place; leave those that cannot be."""
    blocks = find_blocks(model)
    left: Counter[str] = Counter()
    for block in blocks:
        try:
            block.switch_to_deploy()
        except InputError:
            left['ReLU inside the branches' if block.plan.block.relu_in_branches else block.norm_cfg['type']] += 1
    return model, FusionRecord(len(blocks) - left.total(), left) if blocks else None
