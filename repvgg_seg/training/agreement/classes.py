"""Classes of the data sets, of the heads and of a checkpoint."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from torch import nn

from ...errors import InputError, listed
from ...models import BackboneClassifier
from ...models.model_wrappers import inner_model
from .segmentor_parts import heads_of, learns_classes, metainfo_of


def check_number_of_classes(model: nn.Module, dataset: Any, what: str = 'the data set') -> None:
    """Compare every head, or the linear layer of a classifier, with the number of classes of a data set.

    A head of somebody else's that computes its loss in its own way may predict something else: for it, a warning is logged.

    Args:
        what: how a message names the data set.

    Raises:
        InputError: another number of classes; names the setting.
    """
    metainfo = metainfo_of(dataset)
    if not metainfo.get('classes'):
        return
    classes = len(metainfo['classes'])
    model = inner_model(model)
    if isinstance(model, BackboneClassifier):
        _check_classifier(model.linear.out_features, classes, metainfo.get('classes_complete', True))
    for name, head in heads_of(model).items():
        known = getattr(head, 'num_classes', classes)
        if known == classes:
            continue
        message = (
            f'{what} has {classes} classes, {name}.num_classes is {known}: '
            f'set --cfg-options model.{name}.num_classes={classes}'
        )
        if learns_classes(head):
            raise InputError(message)
        print_log(f'{message}, if this {type(head).__name__} learns classes', 'current', logging.WARNING)


def _check_classifier(known: int, classes: int, complete: bool) -> None:
    if classes > known or (complete and classes < known):
        raise InputError(
            f'the data set has {classes} classes, model.num_classes is {known}: '
            f'set --cfg-options model.num_classes={classes}, or name all classes to the data set by `classes`'
        )


def check_same_classes(trained: Mapping[str, Any], validated: Mapping[str, Any]) -> None:
    """Refuse other names or another order of them, where both sets have names.

    Args:
        trained: metainfo of the training set.
        validated: metainfo of the validation set.
    """
    named = trained.get('classes_complete', True) and validated.get('classes_complete', True)
    classes = [tuple(meta.get('classes') or ()) for meta in (trained, validated)]
    if named and all(classes) and classes[0] != classes[1]:
        differing = sorted(set(classes[0]) ^ set(classes[1])) or classes[0]
        raise InputError(
            f'training and validation set do not have the same classes: they differ in {listed(differing)}; '
            'name all classes to both by `classes`'
        )


def check_classes_of_checkpoint(meta: Any, dataset: Any, file: str) -> None:
    """Refuse to score, or to go on with, a checkpoint that was trained on other classes or on another order of them.

    Classes are compared by their names, without case and punctuation. A checkpoint that names none is not judged.

    Args:
        meta: what the file holds under `meta`, where mmengine writes the metainfo of the training set.
        dataset: the data set that is to be scored or trained on.
        file: name of the checkpoint, for the message.

    Raises:
        InputError: a position of the output means another class in the data set.
    """
    metainfo = metainfo_of(dataset)
    stored = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    stored = stored if isinstance(stored, Mapping) else {}
    trained: Any = stored.get('classes', stored.get('CLASSES'))
    given: Any = metainfo.get('classes')
    if not _named(trained) or not _named(given) or not metainfo.get('classes_complete', True):
        return
    differing = [i for i, names in enumerate(zip(trained, given, strict=False)) if len(set(map(_plain, names))) > 1]
    if not differing and len(trained) == len(given):
        return
    if not differing:
        raise InputError(f'{file} was trained on {len(trained)} classes, the data set has {len(given)}')
    i = differing[0]
    same = sorted(map(_plain, trained)) == sorted(map(_plain, given))
    raise InputError(
        f'{file} was trained on other classes: {"the order differs, " if same else ""}class {i} is {trained[i]!r} in the '
        f'checkpoint and {given[i]!r} in the data set ({len(differing)} differ): use a data set whose `metainfo.classes` '
        'are those of the training, in its order; where they mean the same, --no-rehearsal leaves this check out'
    )


def _named(classes: Any) -> bool:
    return isinstance(classes, Sequence) and not isinstance(classes, str) and len(classes) > 0


def _plain(name: Any) -> str:
    return ''.join(filter(str.isalnum, str(name).lower()))
