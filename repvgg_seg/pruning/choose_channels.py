"""Which channels of every layer stay."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# A layer keeps at least this part of the share of channels that stays in the whole network: else it would be a bottleneck.
_LEAST = 1 / 4


@dataclass(frozen=True)
class Candidates:
    """The channels of one layer, of which some are removed.

    Args:
        scores: (C,), what each channel is worth, comparable over all layers.
        parts: the channels are so many blocks of equal size, of each of which as many stay: the groups of the convs that write
            or read them.
        step: the number that stays is a multiple of it.
        whole: all of them stay.
    """

    scores: Tensor
    parts: int = 1
    step: int = 1
    whole: bool = False


def channels_to_keep(layers: Sequence[Candidates], share: float) -> list[Tensor]:
    """The numbers of the channels that stay in every layer, in ascending order.

    All layers compete: what is worth least goes first, wherever it is, so that every layer gets a width of its own. No layer
    loses all channels, nor so many that less than a quarter of the average share is left.

    Args:
        layers: of the whole network.
        share: of all channels together that is to go, 0 or more and less than 1; it is met as nearly as steps allow.
    """
    ranked = [_ranked(layer) for layer in layers]
    pieces = [
        (value, number, size)
        for number, (layer, (_, worth)) in enumerate(zip(layers, ranked, strict=True))
        if not layer.whole
        for value, size in _pieces(worth, layer, share)
    ]
    widths = [len(layer.scores) for layer in layers]
    left = share * sum(widths)
    for _, number, size in sorted(pieces, key=lambda piece: piece[0]):  # stable: those of a layer stay in their order
        if size / 2 > left:
            break
        widths[number] -= size
        left -= size
    return [
        order[:, : width // layer.parts].flatten().sort().values
        for layer, (order, _), width in zip(layers, ranked, widths, strict=True)
    ]


def _ranked(layer: Candidates) -> tuple[Tensor, Tensor]:
    """Channels (parts, C / parts) in descending order of their scores in each block; and the mean scores of the columns."""
    blocks = layer.scores.double().cpu().reshape(layer.parts, -1)
    values, order = blocks.sort(descending=True, stable=True)
    return order + torch.arange(layer.parts)[:, None] * blocks.shape[1], values.mean(0)


def _pieces(worth: Tensor, layer: Candidates, share: float) -> list[tuple[float, int]]:
    """What may be removed of a layer, from the weakest on: the mean score of a piece and its number of channels."""
    step = math.lcm(layer.step, layer.parts) // layer.parts  # in columns
    columns = len(worth)
    least = max(1, math.ceil(columns * (1 - share) * _LEAST / step)) * step
    pieces, end = [], columns
    while end > least:
        start = (end - 1) // step * step
        if start < least:
            break
        pieces.append((worth[start:end].mean().item(), (end - start) * layer.parts))
        end = start
    return pieces
