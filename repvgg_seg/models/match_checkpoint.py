"""Matches the state dict of a checkpoint with a RepVGG: its family of names, its architecture, its form, every tensor.

Functions on names and shapes; nothing is loaded here.
"""

import re
from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError, listed
from ..weight_names import Weights, sort_weights, unwrap
from .archs import ArchSpec, arch_name
from .block_variants import BLOCKS, REPVGG, BlockSpec, block_of_number, other_block_message
from .stages import build_stages
from .stem_channels import fit_stem
from .stride_dilation_plan import LayerPlan

_VARIANT = 'stage0.variant'  # the number of the kind of block, where that is not RepVGG's own
_COUNTER = 'num_batches_tracked'  # BN's batch counter: older files lack it, and nothing here reads it
_RESNET_DEPTHS: dict[tuple[int, ...], int] = {
    (2, 2, 2, 2): 18,
    (3, 4, 6, 3): 50,
    (3, 4, 23, 3): 101,
    (3, 8, 36, 3): 152,
}


def match(
    checkpoint: Mapping[str, Any],
    spec: ArchSpec,
    plans: Sequence[LayerPlan],
    norm_cfg: dict[str, Any] | None = None,
    needed_stages: int = 5,
    stem_weights: str | None = None,
) -> Weights:
    """Sort the tensors of a checkpoint of any family and either form, and check that its body is complete.

    Args:
        checkpoint: a state dict, or a dict that holds one.
        spec: the expected architecture.
        plans: its layers.
        norm_cfg: the norm of its branches, as `RepVGGBlock` takes it.
        needed_stages: the number of stages, from the first, that have to be there; a later one may be missing as a whole.
        stem_weights: what is done with a first layer for images of other channels, as `fit_stem` takes it.

    Returns:
        The sorted tensors; the body has exactly the names and shapes of one form (it may lack BN's batch counters).

    Raises:
        InputError: no RepVGG, another architecture or kind of block, images of other channels, or tensors of the body that
            are missing, unexpected or of another shape; lists them.
    """
    weights = sort_weights(checkpoint)
    if weights is None:
        raise InputError(_no_repvgg(unwrap(checkpoint), arch_name(spec)))
    recognised = recognise_arch(weights.backbone)
    if recognised is not None and recognised != spec:
        way_out = ''
        if recognised.is_narrower_than(spec):  # such as mmseg's own tools, which load without adapting the heads
            way_out = (
                ': it was pruned; repvgg_seg.load_weights and our tools take its widths over, elsewhere give the backbone '
                'these layer_widths and the heads these in_channels'
            )
        raise InputError(f'this checkpoint is a {arch_name(recognised)}, the config says {arch_name(spec)}{way_out}')
    _check_block(weights.backbone, plans[0].block)
    fit_stem(weights.backbone, plans[0].in_channels, stem_weights)
    there = {stage_of(name) for name in weights.backbone}
    plans = [plan for plan in plans if plan.stage < needed_stages or plan.stage in there]
    expected = body_state(plans, norm_cfg, fused=is_fused(weights.backbone))
    account_for(weights.backbone, expected)
    weights.backbone = {name: tensor for name, tensor in weights.backbone.items() if name in expected}
    return weights


def stage_of(name: str) -> int | None:
    """The stage, 0 to 4, of a tensor under its official name; None for a tensor of no stage."""
    found = re.match(r'stage(\d)\.', name)
    return int(found[1]) if found else None


def body_state(plans: Sequence[LayerPlan], norm_cfg: dict[str, Any] | None, fused: bool) -> dict[str, Tensor]:
    """The state dict of a body in training or fused form, without memory (on the device 'meta')."""
    with torch.device('meta'):
        stages = build_stages(plans, norm_cfg, deploy=fused)
    return {f'{stage}.{name}': tensor for stage, part in stages.items() for name, tensor in part.state_dict().items()}


def account_for(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise `InputError` unless both have the same names, except BN's batch counters, and the same shapes."""
    missing = [name for name in expected if name not in found and not name.endswith(_COUNTER)]
    unexpected = [name for name in found if name not in expected and not name.endswith(_COUNTER)]
    reshaped = [
        f'{name} {tuple(found[name].shape)} in place of {tuple(tensor.shape)}'
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    kinds = (('missing', missing), ('unexpected', unexpected), ('of another shape', reshaped))
    faults = '; '.join(f'{len(names)} {kind}: {listed(names)}' for kind, names in kinds if names)
    if faults:
        raise InputError(f'the checkpoint does not fit the model: {faults}; use the config that it was made with')


def is_fused(state_dict: Mapping[str, Tensor]) -> bool:
    """Whether a state dict, with any prefixes of its names, holds blocks in deploy form."""
    return any('rbr_reparam.' in name for name in state_dict)


def take_below(state_dict: MutableMapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Remove the entries whose names begin with `prefix` from a state dict; returns them without the prefix."""
    return {name[len(prefix) :]: state_dict.pop(name) for name in list(state_dict) if name.startswith(prefix)}


def recognise_arch(state_dict: Mapping[str, Tensor]) -> ArchSpec | None:
    """The architecture, recognised by names and shapes.

    Args:
        state_dict: of a backbone, in training or deploy form, under official names.

    Returns:
        None where kernels are missing, or where no `ArchSpec` has such shapes.
    """
    kernels: dict[tuple[int, int], Tensor] = {}
    for name, tensor in state_dict.items():
        match = re.fullmatch(r'stage(\d)(?:\.(\d+))?(?:\.layer([12]))?\.(?:rbr_dense\.conv|rbr_reparam)\.weight', name)
        if match:
            number = int(match[2] or 0)
            kernels[int(match[1]), 2 * number + int(match[3]) - 1 if match[3] else number] = tensor
    depths = tuple(sum(stage == i for stage, _ in kernels) for i in range(5))
    if 0 in depths or set(kernels) != {(stage, i) for stage in range(5) for i in range(depths[stage])}:
        return None
    in_order = [kernels[place] for place in sorted(kernels)]
    _, second, third, *_ = in_order  # the third is the first with groups
    try:
        rest: dict[str, Any] = dict(
            groups=second.shape[0] // third.shape[1],
            se=any('.se.' in name for name in state_dict),
            post_se=any('.post_se.' in name for name in state_dict),
        )
        if _fit_together(in_order, rest['groups']):
            return ArchSpec(depths, layer_widths=tuple(kernel.shape[0] for kernel in in_order), **rest)
        return ArchSpec(depths, a=kernels[1, 0].shape[0] / 64, b=kernels[4, 0].shape[0] / 512, **rest)
    except (InputError, IndexError, ZeroDivisionError):  # the last two of damaged kernels: no axes, or empty ones
        return None


def _fit_together(kernels: Sequence[Tensor], groups: int) -> bool:
    """Whether every kernel takes the channels that the one before it gives."""
    for number, (before, kernel) in enumerate(zip(kernels, kernels[1:], strict=False), start=1):
        of_layer = groups if number >= 2 and number % 2 == 0 else 1
        if before.shape[0] != kernel.shape[1] * of_layer:
            return False
    return True


def recognise_block(state_dict: Mapping[str, Tensor], own: BlockSpec = REPVGG) -> BlockSpec | None:
    """The kind of block of a backbone: `own` or one of `BLOCKS`; None where it is neither.

    In fused form, all kinds of one topology have the same parameters: it is then RepVGG's own, or 'residual'.

    Args:
        state_dict: of a backbone, under official names.
        own: a kind that `BLOCKS` may lack.
    """
    number = state_dict.get(_VARIANT)
    if number is None:
        return BLOCKS['residual'] if any('.layer1.' in name for name in state_dict) else REPVGG
    if number.is_meta:
        return own
    return block_of_number(number.flatten()[0].item(), own) if number.numel() else None


def _check_block(state_dict: Mapping[str, Tensor], expected: BlockSpec) -> None:
    found = recognise_block(state_dict, expected)
    same = found == expected
    if is_fused(state_dict):
        same = found is not None and found.residual == expected.residual
    if not same:
        raise InputError(other_block_message(found, expected))


def network_name(state_dict: Mapping[str, Tensor]) -> str | None:
    """The network, recognised by names and shapes: a RepVGG or a ResNet; None for any other."""
    weights = sort_weights(state_dict)
    if weights is not None:
        arch = recognise_arch(weights.backbone)
        return arch_name(arch) if arch else 'RepVGG'
    first_convs = (re.search(r'(?:^|\.)layer([1-4])\.\d+\.conv1\.weight$', name) for name in state_dict)
    blocks = Counter(match[1] for match in first_convs if match)
    depth = _RESNET_DEPTHS.get(tuple(blocks[i] for i in '1234'))
    if depth == 50 and not any(re.search(r'layer1\.0\.conv3\.', name) for name in state_dict):
        depth = 34  # has as many blocks as ResNet-50, but of two convs each
    return f'ResNet-{depth}' if depth else None


def _no_repvgg(tensors: Mapping[str, Tensor], wanted: str) -> str:
    network = network_name(tensors)
    if network:
        return f'this checkpoint is a {network}, the config says {wanted}'
    return (
        f'no RepVGG weights in this checkpoint: expected stage0.rbr_dense.conv.weight and so on (or the names of timm '
        f'or mmpretrain) for {wanted}, found {listed(tensors) or "nothing"}'
    )
