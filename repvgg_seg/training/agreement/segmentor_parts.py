"""The parts of a built segmentor that settings have to agree about: its heads, their losses, and the steps of a pipeline."""

from collections.abc import Iterator
from typing import Any

from mmseg.models.decode_heads import STDCHead, VPDDepthHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn

from ...data.checked_pipeline import steps_in
from ...data.wrapped_datasets import wrapped_by
from ...models.model_wrappers import inner_model

_KNOWN_PACKAGES = ('mmseg', 'repvgg_seg')
_OTHER_LABELS = (STDCHead, VPDDepthHead)  # heads that learn boundaries or depth, and no classes


def heads_of(model: nn.Module) -> dict[str, Any]:
    """Every head of a segmentor by its place in the config, as `decode_head`, `decode_head.0` or `auxiliary_head.1`."""
    heads: dict[str, Any] = {}
    for name in ('decode_head', 'auxiliary_head'):
        head = getattr(inner_model(model), name, None)
        if isinstance(head, nn.ModuleList):
            heads.update({f'{name}.{i}': part for i, part in enumerate(head)})
        elif isinstance(head, nn.Module):
            heads[name] = head
    return heads


def losses_of(head: nn.Module) -> dict[str, nn.Module]:
    """The losses of a head by their places below it in the config, as `loss_decode` or `loss_decode.1`."""
    loss = getattr(head, 'loss_decode', None)
    if isinstance(loss, nn.ModuleList):
        return {f'loss_decode.{i}': part for i, part in enumerate(loss)}
    return {'loss_decode': loss} if isinstance(loss, nn.Module) else {}


def learns_classes(head: nn.Module) -> bool:
    """Whether a head is known to learn the labels of the data set as they are.

    A class of somebody else that computes the loss in its own way may learn something else, as boundaries.
    """
    if not isinstance(head, BaseDecodeHead) or isinstance(head, _OTHER_LABELS):
        return False
    return all(_is_known(type(head), name) for name in ('loss', 'loss_by_feat'))


def reads_by_index(head: nn.Module) -> bool:
    """Whether a head is known to read the feature maps that its `in_index` names; somebody else's may read any."""
    return isinstance(head, BaseDecodeHead) and _is_known(type(head), 'forward')


def _is_known(cls: type, method: str) -> bool:
    owner = next(base for base in cls.__mro__ if method in vars(base))
    return owner.__module__.split('.')[0] in _KNOWN_PACKAGES


def transforms_of(dataset: Any) -> Iterator[Any]:
    """Every step of the pipelines of a data set, with those of the data sets that it wraps and of nested steps."""
    for inner in wrapped_by(dataset):
        yield from transforms_of(inner)
    yield from steps_in(getattr(dataset, 'pipeline', None))


def metainfo_of(dataset: Any) -> dict[str, Any]:
    """The metainfo of a data set; empty where it has none."""
    found = getattr(dataset, 'metainfo', None)
    return found if isinstance(found, dict) else {}
