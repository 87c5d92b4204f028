"""Losses of a config: those of mmseg that fail or compute something else for its heads are replaced or refused."""

from collections.abc import Callable, Iterator
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.models.losses import CrossEntropyLoss, DiceLoss, LovaszLoss, TverskyLoss
from mmseg.registry import MODELS

from ..errors import InputError
from .config.registered_class import find_class

_KNOWN_PACKAGES = ('mmseg.', 'repvgg_seg.')  # a head of somebody else's may make a logit for each class out of one


def fit_losses(cfg: Config) -> None:
    """Replace mmseg's losses by ours where mmseg's own would fail or be wrong, and say so in the log.

    Heads of one logit also get the hook that logs their accuracy.

    Args:
        cfg: changed in place.

    Raises:
        InputError: a loss of several classes for a head of one logit, with which nothing is learned.
    """
    scope = cfg.get('default_scope') or 'mmseg'
    heads = list(_heads(cfg.model, 'model'))
    places: dict[str, list[str]] = {}  # by what is said of the losses there
    for path, head in heads:
        one_logit = head.get('out_channels') == 1
        known = one_logit and _is_known(find_class(head['type'], f'{path}.type', MODELS, scope))
        if known and not head.get('loss_decode'):  # then mmseg takes this one
            _check_for_one_logit(CrossEntropyLoss, {}, f'{path}.loss_decode')
        for place, loss in _losses(head, f'{path}.loss_decode'):
            cls = find_class(loss.get('type'), f'{place}.type', MODELS, scope)
            if known:
                _check_for_one_logit(cls, loss, place)
            replacement = _replacement(cls, loss, one_logit)
            if replacement:
                loss['type'], reason = replacement
                said = f"{loss['type']} in the place of mmseg's {cls.__name__}, {reason}"
                places.setdefault(said, []).append(place)
    for said, found in places.items():
        print_log(f'{", ".join(found)}: {said}', 'current')
    if any(head.get('out_channels') == 1 for _, head in heads):
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type='OneLogitAccuracyHook')]


def _heads(value: Any, path: str) -> Iterator[tuple[str, dict]]:
    """Every decode head of a nest with its place: those inside other heads as well."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    is_head = isinstance(value, dict) and 'type' in value and 'num_classes' in value
    if is_head and (value.get('loss_decode') or value.get('out_channels') == 1):
        yield path, value
    for key, item in items:
        yield from _heads(item, f'{path}.{key}')


def _losses(head: dict, path: str) -> Iterator[tuple[str, dict]]:
    """The losses of a head with their places."""
    losses = head.get('loss_decode') or []
    for i, loss in enumerate(losses if isinstance(losses, (list, tuple)) else [losses]):
        if isinstance(loss, dict):
            yield (path if losses is loss else f'{path}.{i}'), loss


def _is_known(cls: Callable) -> bool:
    return cls.__module__.startswith(_KNOWN_PACKAGES)


def _replacement(cls: Callable, loss: dict, one_logit: bool) -> tuple[str, str] | None:
    """The loss to take, and why; None where mmseg's is right."""
    if cls is CrossEntropyLoss and not loss.get('use_mask'):
        weighted = loss.get('class_weight') is not None
        if weighted and loss.get('use_sigmoid') and not one_logit:
            return 'WeightedCrossEntropyLoss', 'which applies class_weight to the columns of the image with use_sigmoid'
        if weighted and loss.get('avg_non_ignore'):
            return 'WeightedCrossEntropyLoss', 'which fails for class_weight with avg_non_ignore'
        if one_logit:
            return 'WeightedCrossEntropyLoss', 'which fails for a crop without any labelled pixel'
    if cls is DiceLoss and one_logit:
        return 'ForegroundDiceLoss', 'which takes one logit for that of the background'
    return None


def _check_for_one_logit(cls: Callable, loss: dict, path: str) -> None:
    """Refuse a loss that needs a channel for each class."""
    way_out = ''
    if cls is CrossEntropyLoss and not loss.get('use_sigmoid'):
        way_out = f"set {path} to dict(type='CrossEntropyLoss', use_sigmoid=True)"
    elif cls is LovaszLoss and loss.get('loss_type', 'multi_class') != 'binary':
        way_out = f"set {path}.loss_type='binary'"
    elif cls is TverskyLoss:
        way_out = 'take DiceLoss, or CrossEntropyLoss with use_sigmoid=True, or a head with out_channels=2'
    if way_out:
        raise InputError(
            f'{path}: {cls.__name__} with these settings needs a logit for each class, and the head has out_channels=1: '
            f'{way_out}'
        )
