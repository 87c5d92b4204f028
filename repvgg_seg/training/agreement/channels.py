"""Channels that the backbone or the neck gives, and those that the heads expect."""

from collections.abc import Sequence

from mmseg.models.necks import FPN
from torch import nn

from ...errors import InputError
from ...models import RepVGG
from ...models.model_wrappers import inner_model
from .segmentor_parts import heads_of, reads_by_index


def check_channels(model: nn.Module) -> None:
    """Compare a neck and every head with the channels of a RepVGG, before any forward pass.

    What other backbones and necks give, and what somebody else's heads read, is not known beforehand: the rehearsal sees it.

    Raises:
        InputError: they do not fit; names the setting and the value that it needs.
    """
    model = inner_model(model)
    backbone, neck = getattr(model, 'backbone', None), getattr(model, 'neck', None)
    if not isinstance(backbone, RepVGG):
        return
    features: Sequence[int] = backbone.out_channels
    if neck is not None:
        expected = getattr(neck, 'in_channels', None)
        if isinstance(expected, (list, tuple)) and list(expected) != list(features):
            raise InputError(
                f'the backbone gives {list(features)} channels, neck.in_channels is {list(expected)}: '
                f'set --cfg-options model.neck.in_channels="{list(features)}"'
            )
        if type(neck) is not FPN:
            return
        features = [neck.out_channels] * neck.num_outs
    giver = 'backbone' if neck is None else 'neck'
    for name, head in heads_of(model).items():
        message = channel_mismatch(name, head, features, giver)
        if message and reads_by_index(head):
            raise InputError(message)


def channel_mismatch(name: str, head: nn.Module, features: Sequence[int], giver: str) -> str:
    """What is wrong between a head and the feature maps that it gets; '' where nothing is.

    Args:
        name: place of the head in the config, below `model`.
        head: a head with mmseg's `in_index` and `in_channels`; any other is not judged.
        features: channels of every feature map.
        giver: 'backbone' or 'neck', for the message.
    """
    index, expected = getattr(head, 'in_index', None), getattr(head, 'in_channels', None)
    indices = [index] if isinstance(index, int) else list(index or ())
    if expected is None or not indices:
        return ''
    outside = [i for i in indices if not -len(features) <= i < len(features)]
    if outside:
        return (
            f'{name}.in_index is {index}, and the {giver} gives {len(features)} feature maps, 0 to {len(features) - 1}: '
            f'set --cfg-options model.{name}.in_index, or out_indices of the backbone'
        )
    given = [features[i] for i in indices]
    if isinstance(index, int):
        if expected == given[0]:
            return ''
        return (
            f'the {giver} gives {given[0]} channels at index {index}, {name}.in_channels is {expected}: '
            f'set --cfg-options model.{name}.in_channels={given[0]}'
        )
    # mmseg keeps the sum alone where a head concatenates its inputs.
    if expected == sum(given) or (isinstance(expected, (list, tuple)) and list(expected) == given):
        return ''
    of = 'together ' if isinstance(expected, int) else ''
    shown = list(expected) if isinstance(expected, (list, tuple)) else expected
    return (
        f'the {giver} gives {given} channels at the indices {indices}, {name}.in_channels is {of}{shown}: '
        f'set --cfg-options model.{name}.in_channels="{given}"'
    )
