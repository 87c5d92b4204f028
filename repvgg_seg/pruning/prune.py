"""Removes channels of the backbone of a fused segmentor; every layer gets a width of its own (paper, section 3.1)."""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from mmseg.models import BaseSegmentor, CascadeEncoderDecoder, EncoderDecoder
from torch import Tensor, nn

from ..errors import InputError
from ..models import RepVGG
from ..models.archs import POST_SE_RATIO, SE_RATIO, ArchSpec
from ..models.block import RepVGGBlock, SEBlock
from ..models.block_variants import block_name
from ..models.head_inputs import bins_of, can_read_fewer, keep_inputs, strongest
from ..models.take_widths import heads_of, heads_with_index
from .choose_channels import Candidates, channels_to_keep
from .measure_channels import Batch, effects_of_blocks, layers_of

BY = ('effect', 'l1')  # the default first


@dataclass(frozen=True)
class Pruned:
    """What was removed.

    Args:
        before, after: the architectures.
        whole_layers: numbers of the layers, from 0, that keep all channels, because not every part that reads them is known.
        kept: numbers of the channels that stay, of every layer.
    """

    before: ArchSpec
    after: ArchSpec
    whole_layers: list[int]
    kept: list[Tensor]

    @property
    def share(self) -> float:
        """The share of the channels of the backbone that is gone."""
        return 1 - sum(self.after.widths_by_layer) / sum(self.before.widths_by_layer)


def check_prunable(model: nn.Module) -> None:
    """Check that a model is a segmentor whose channels can be removed.

    Raises:
        InputError: it is none, it has another backbone than RepVGG, or shortcuts that couple the widths of layers.
    """
    backbone = getattr(model, 'backbone', None)
    if not isinstance(model, BaseSegmentor):
        raise InputError(f'only segmentors are pruned, and this is a {type(model).__name__}: name the config of one')
    if not isinstance(backbone, RepVGG):
        raise InputError(
            f'only a RepVGG is pruned, and the backbone is a {type(backbone).__name__}: name a config with backbone type RepVGG'
        )
    if backbone.plans[0].block.residual:
        raise InputError(
            f'block={block_name(backbone.plans[0].block)!r} has shortcuts, which couple the widths of layers: only plain '
            'networks can be pruned'
        )
    for block in layers_of(backbone):
        block.check_fusible()


def prune(
    model: BaseSegmentor, share: float, batches: Sequence[Batch], by: str = 'effect', multiple_of: int = 8
) -> Pruned:
    """Remove channels of the backbone, in place, and whatever reads or writes them; the model is fused afterwards.

    All layers compete, by scores that can be compared: the effect on the loss, whose unit is the same everywhere, or the share of
    a fused kernel in the L1 norm of what would be left of its layer, since layers differ in the scale of their inputs and in
    width. With groups, as many channels go from each group.

    Args:
        model: as `check_prunable` takes it, in any form.
        share: of the channels of the backbone that is to go, from 0 to less than 1.
        batches: images and labels, as the loader of the training makes them; read for 'effect' alone.
        by: one of `BY`.
        multiple_of: widths become multiples of it, as vector units compute them best.

    Raises:
        InputError: as `check_prunable`, or a share or number out of its range.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise InputError(f'share must be a number from 0 to less than 1, such as 0.33, got {share!r}')
    if isinstance(multiple_of, bool) or not isinstance(multiple_of, int) or multiple_of < 1:
        raise InputError(f'multiple_of must be a positive integer, got {multiple_of!r}')
    if by not in BY:
        raise InputError(f'by must be one of {", ".join(BY)}, got {by!r}')
    check_prunable(model)
    backbone = model.backbone
    backbone.switch_to_deploy()
    before, whole, blocks = backbone.arch, _whole_layers(model), layers_of(backbone)
    if share == 0:
        return Pruned(before, before, sorted(whole), [torch.arange(width) for width in before.widths_by_layer])
    scores = [_l1_norms(block) for block in blocks] if by == 'l1' else effects_of_blocks(model, batches)
    kept = channels_to_keep(_candidates(model, scores, multiple_of, whole), share)
    after = ArchSpec(
        before.depths,
        groups=before.groups,
        se=before.se,
        post_se=before.post_se,
        layer_widths=tuple(map(len, kept)),
    )
    state = _sliced(blocks, kept)
    parameter = next(backbone.parameters())
    backbone.rebuild(after, backbone.plans[0].block, deploy=True)
    backbone.to(parameter.device)
    for block, tensors in zip(layers_of(backbone), state, strict=True):
        block.load_state_dict(tensors)
    backbone.eval()
    for head in heads_with_index(model):
        if backbone.out_channels[head.in_index] != head.in_channels:
            keep_inputs(head, kept[_layer_of_map(backbone, head.in_index)])
    return Pruned(before, after, sorted(whole), kept)


def _layer_of_map(backbone: RepVGG, index: int) -> int:
    """The number of the layer that gives a feature map, by the place of the map among the outputs."""
    return list(accumulate(backbone.arch.depths))[backbone.out_indices[index] + 1] - 1


def _whole_layers(model: BaseSegmentor) -> set[int]:
    """The layers that keep all channels: what reads their maps is not known as a whole, or nothing does."""
    backbone, heads = model.backbone, heads_with_index(model)
    unread = {number for number, plan in enumerate(backbone.plans) if plan.stage > max(backbone.out_indices) + 1}
    if type(model) not in (EncoderDecoder, CascadeEncoderDecoder) or len(heads) < len(heads_of(model)):
        return unread | {_layer_of_map(backbone, index) for index in range(len(backbone.out_indices))}
    return unread | {_layer_of_map(backbone, head.in_index) for head in heads if not can_read_fewer(head)}


def _candidates(
    model: BaseSegmentor, scores: Sequence[Tensor], multiple_of: int, whole: Container[int]
) -> list[Candidates]:
    """What may be removed of every layer."""
    spec, backbone = model.backbone.arch, model.backbone
    step = math.lcm(multiple_of, SE_RATIO if spec.se else 1, POST_SE_RATIO if spec.post_se else 1)
    steps = dict.fromkeys(range(len(scores)), step)
    for head in heads_with_index(model):
        number = _layer_of_map(backbone, head.in_index)
        steps[number] = math.lcm(steps[number], bins_of(head))
    return [
        Candidates(of_layer, spec.groups if number else 1, steps[number], number in whole)
        for number, of_layer in enumerate(scores)
    ]


def _l1_norms(block: RepVGGBlock) -> Tensor:
    """The L1 norm of the kernel of every channel over the sum of those of its layer that are not smaller."""
    norms = block.rbr_reparam.weight.detach().double().flatten(1).abs().sum(1)
    values, order = norms.sort(descending=True, stable=True)
    values /= values.cumsum(0).clamp(min=torch.finfo(torch.double).tiny)
    return values.new_empty(len(values)).scatter_(0, order, values)


def _sliced(blocks: Sequence[RepVGGBlock], kept: Sequence[Tensor]) -> list[dict[str, Tensor]]:
    """The state dict of every block with the channels that stay."""
    states = []
    inputs = torch.arange(blocks[0].plan.in_channels)
    for block, outputs in zip(blocks, kept, strict=True):
        conv = block.rbr_reparam
        assert conv.bias is not None  # every fused conv has one
        weight = _sliced_kernel(conv.weight.detach(), conv.groups, inputs, outputs)
        state = {'rbr_reparam.weight': weight, 'rbr_reparam.bias': conv.bias.detach()[outputs]}
        for name, ratio in (('se', SE_RATIO), ('post_se', POST_SE_RATIO)):
            part = getattr(block, name)
            if isinstance(part, SEBlock):
                state |= {f'{name}.{key}': tensor for key, tensor in _sliced_se(part, outputs, ratio).items()}
        states.append(state)
        inputs = outputs
    return states


def _sliced_kernel(kernel: Tensor, groups: int, inputs: Tensor, outputs: Tensor) -> Tensor:
    """A kernel (C_out, C_in / groups, k, k) without some channels, of which there are as many in each group."""
    of_group = zip(inputs.reshape(groups, -1), outputs.reshape(groups, -1), strict=True)
    return torch.cat([kernel[rows][:, columns - g * kernel.shape[1]] for g, (columns, rows) in enumerate(of_group)])


def _sliced_se(se: SEBlock, kept: Tensor, ratio: int) -> dict[str, Tensor]:
    """The tensors of a squeeze-and-excitation of fewer channels, with as many fewer in its middle: those of the smallest norms."""
    down, up = se.down.weight.detach()[:, kept], se.up.weight.detach()[kept]
    assert se.down.bias is not None and se.up.bias is not None
    middle = strongest(down.abs().sum((1, 2, 3)) * up.abs().sum((0, 2, 3)), len(kept) // ratio)
    return {
        'down.weight': down[middle],
        'down.bias': se.down.bias.detach()[middle],
        'up.weight': up[:, middle],
        'up.bias': se.up.bias.detach()[kept],
    }
