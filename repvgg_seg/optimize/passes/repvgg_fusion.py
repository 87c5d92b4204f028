"""Pass: the branches of every RepVGG block become one conv (paper, section 3.3)."""

from torch import nn

from ...errors import InputError
from ...models.block import find_blocks


def fuse_repvgg(model: nn.Module, options) -> str:
    """Fuse the blocks that can be fused, in place; one whose norm is no BN is left as it is and said."""
    blocks = find_blocks(model)
    left = {}
    for block in blocks:
        try:
            block.switch_to_deploy()
        except InputError:
            left[block.norm_cfg['type']] = left.get(block.norm_cfg['type'], 0) + 1
    fused = len(blocks) - sum(left.values())
    said = [f'{fused} RepVGG blocks became one conv each'] if fused else []
    said += [f'{number} blocks left as they are: {norm} cannot be folded' for norm, number in left.items()]
    return '; '.join(said)
