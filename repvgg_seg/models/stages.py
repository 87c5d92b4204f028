"""The five stages of a body, built from the plans of their layers, and blocks of two layers with a shortcut."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from .block import RepVGGBlock
from .block_variants import SHORTCUT
from .stride_dilation_plan import LayerPlan, is_in_pair


def build_stages(
    plans: Sequence[LayerPlan],
    norm_cfg: dict[str, Any] | None = None,
    with_cp: bool | str = False,
    deploy: bool = False,
) -> dict[str, nn.Module]:
    """The stages by their official names: `stage0` is one block, each of the others a sequence.

    Args:
        plans: the layers, from first to last.
        norm_cfg, with_cp, deploy: as `RepVGGBlock` takes them.
    """
    args = (norm_cfg, with_cp, deploy)
    stages: dict[str, nn.Module] = {}
    for stage in dict.fromkeys(plan.stage for plan in plans):
        layers = [plan for plan in plans if plan.stage == stage]
        if is_in_pair(layers[0], len(layers)):
            pairs = zip(layers[::2], layers[1::2], strict=True)
            blocks: list[nn.Module] = [ResidualPair(first, second, *args) for first, second in pairs]
        else:
            blocks = [RepVGGBlock(plan, *args) for plan in layers]
        stages[f'stage{stage}'] = nn.Sequential(*blocks) if stage else blocks[0]
    return stages


class ResidualPair(nn.Module):
    """Two layers and a shortcut around both, as in ResNet-18 (paper, section 4.2, Residual Reorg).

    Its convs become fused as those of any block; the shortcut stays.

    Args:
        first, second: the two layers.
        args: `norm_cfg`, `with_cp` and `deploy`, as `RepVGGBlock` takes them.
    """

    def __init__(self, first: LayerPlan, second: LayerPlan, *args: Any):
        super().__init__()
        self.layer1 = RepVGGBlock(first, *args)
        self.layer2 = RepVGGBlock(second, *args)
        self.layer2.nonlinearity = nn.Identity()
        self.shortcut: RepVGGBlock | None = None
        if not first.has_identity:
            self.shortcut = RepVGGBlock(replace(first, groups=1, se=False, post_se=False, block=SHORTCUT), *args)
            self.shortcut.nonlinearity = nn.Identity()
        self.nonlinearity = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.layer2(self.layer1(x))
        out += x if self.shortcut is None else self.shortcut(x)
        return self.nonlinearity(out)
