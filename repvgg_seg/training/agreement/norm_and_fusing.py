"""The norm of RepVGG blocks, and whether they can be fused."""

from torch import nn

from ...errors import InputError
from ...models.block import find_blocks


def norms_not_fusible(model: nn.Module) -> list[str]:
    """The classes of those norms in RepVGG blocks that cannot become part of a conv; an empty list where all can."""
    found = set()
    for block in find_blocks(model):
        try:
            block.check_fusible()
        except InputError:
            found.add(type(block.rbr_dense.bn).__name__)
    return sorted(found)
