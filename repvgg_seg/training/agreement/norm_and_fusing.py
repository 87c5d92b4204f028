"""What in RepVGG blocks cannot be fused."""

from torch import nn

from ...models.block import find_blocks


def parts_not_fusible(model: nn.Module) -> list[str]:
    """What cannot become part of a conv: classes of norms, or ReLUs inside the branches; an empty list where all can."""
    return sorted({part for block in find_blocks(model) if (part := block.part_not_fusible())})
