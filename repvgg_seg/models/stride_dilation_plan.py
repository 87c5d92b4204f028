"""Plans channels, stride, dilation, groups and kind of every layer before any layer exists. Standard library only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InputError
from .archs import ArchSpec
from .block_variants import REPVGG, BlockSpec

# Stride of the first layer and dilation of every layer, for each of the five stages.
_STAGES = {
    32: ((2, 2, 2, 2, 2), (1, 1, 1, 1, 1)),
    16: ((2, 2, 2, 2, 1), (1, 1, 1, 1, 2)),
    8: ((2, 2, 2, 1, 1), (1, 1, 1, 2, 4)),
}


@dataclass(frozen=True)
class LayerPlan:
    """One 3x3 layer of the body. Its padding equals its dilation, so that only the stride changes the size."""

    stage: int  # 0 to 4: the paper's stages 1 to 5
    in_channels: int
    out_channels: int
    stride: int
    dilation: int
    groups: int
    se: bool
    post_se: bool = False
    block: BlockSpec = REPVGG

    @property
    def has_identity(self) -> bool:
        """Whether input and output have the same shape, so that the block gets the identity branch."""
        return self.in_channels == self.out_channels and self.stride == 1


def plan_layers(
    spec: ArchSpec,
    in_channels: int = 3,
    output_stride: int = 32,
    dilate_last: int | None = None,
    stem_stride: int = 2,
    block: BlockSpec = REPVGG,
) -> tuple[LayerPlan, ...]:
    """Plan every layer of the body, from first to last (paper, sections 3.4 and 4.3).

    Args:
        spec: the architecture.
        in_channels: channels of the image.
        output_stride: 32; 16 (stage 5 at stride 1, dilation 2); or 8 (stages 4 and 5 at stride 1, dilations 2
            and 4, as in PSPNet).
        dilate_last: dilate only this number of layers at the end of the body; 5 is the paper's "fast". The strides
            stay the same. None: dilate every layer of the stages named above.
        stem_stride: stride of the first layer, 2 or 1.
        block: the kind of every layer.

    Raises:
        InputError: an argument with a value that is not allowed; `dilate_last` above the number of dilated layers.
    """
    if output_stride not in _STAGES:
        raise InputError(f'output_stride must be one of {", ".join(map(str, sorted(_STAGES)))}, got {output_stride!r}')
    if not isinstance(in_channels, int) or in_channels < 1:
        raise InputError(f'in_channels must be a positive integer, got {in_channels!r}')
    if stem_stride not in (1, 2):
        raise InputError(f'stem_stride must be 2 or, for small images, 1, got {stem_stride!r}')
    strides, dilations = _STAGES[output_stride]
    strides = (stem_stride, *strides[1:])
    _check_dilate_last(spec, dilations, output_stride, dilate_last)
    if block.residual and any(depth % 2 for depth in spec.depths if depth > 1):
        raise InputError(
            f'a residual block has two layers, so a stage has one layer or an even number of them, got depths {spec.depths}'
        )

    layers: list[LayerPlan] = []
    total = sum(spec.depths)
    for stage, depth in enumerate(spec.depths):
        for i in range(depth):
            number = len(layers)  # counted from 0 over the whole body
            width = spec.widths_by_layer[number]
            dilated = dilate_last is None or number >= total - dilate_last
            layers.append(
                LayerPlan(
                    stage=stage,
                    in_channels=in_channels,
                    out_channels=width,
                    stride=strides[stage] if i == 0 else 1,
                    dilation=dilations[stage] if dilated else 1,
                    groups=spec.groups if number >= 2 and number % 2 == 0 else 1,
                    se=spec.se,
                    post_se=spec.post_se,
                    block=block,
                )
            )
            in_channels = width
    _check_pairs(layers)
    return tuple(layers)


def _check_pairs(layers: Sequence[LayerPlan]) -> None:
    """Refuse residual blocks whose two layers have different widths."""
    depths = Counter(plan.stage for plan in layers)
    paired = [plan for plan in layers if is_in_pair(plan, depths[plan.stage])]
    for first, second in zip(paired[::2], paired[1::2], strict=True):
        if first.out_channels != second.out_channels:
            raise InputError(
                'the two layers of a residual block have the same width, got layer_widths '
                f'{first.out_channels} and {second.out_channels} in stage {first.stage + 1} of the paper'
            )


def layer_names(plans: Sequence[LayerPlan]) -> list[str]:
    """The official name of every layer in a state dict: `stage0`, `stage1.0`, `stage1.1`, ...

    In a residual block, which is two layers, they are `stage1.0.layer1` and `stage1.0.layer2`.
    """
    depths = Counter(plan.stage for plan in plans)
    numbers: Counter[int] = Counter()
    names = []
    for plan in plans:
        number, stage = numbers[plan.stage], f'stage{plan.stage}'
        if is_in_pair(plan, depths[plan.stage]):
            stage += f'.{number // 2}.layer{number % 2 + 1}'
        elif plan.stage > 0:
            stage += f'.{number}'
        names.append(stage)
        numbers[plan.stage] += 1
    return names


def is_in_pair(plan: LayerPlan, depth: int) -> bool:
    """Whether a layer of a stage of so many layers is one of the two of a residual block."""
    return plan.block.residual and depth > 1


def _check_dilate_last(spec: ArchSpec, dilations: Sequence[int], output_stride: int, dilate_last: int | None) -> None:
    if dilate_last is None:
        return
    most = sum(depth for depth, dilation in zip(spec.depths, dilations, strict=True) if dilation > 1)
    if most == 0:
        raise InputError(
            f'dilate_last={dilate_last!r} needs output_stride 16 or 8: nothing is dilated at {output_stride}'
        )
    if not isinstance(dilate_last, int) or not 0 <= dilate_last <= most:
        raise InputError(
            f'dilate_last must be None or 0 to {most} (the layers dilated at output_stride {output_stride}), '
            f'got {dilate_last!r}'
        )
