"""The value of ignored pixels in data set, padding, losses and metric."""

import logging
from collections.abc import Iterator
from typing import Any

from mmcv.transforms import Pad
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmseg.datasets.transforms import RandomCrop, RandomCutOut, RandomMosaic, RandomRotate
from mmseg.models.losses import DiceLoss
from torch import nn

from ...data.wrapped_datasets import with_wrappers
from ...errors import InputError
from ...models.model_wrappers import inner_model
from .segmentor_parts import heads_of, learns_classes, losses_of, transforms_of


def check_ignored_label_in_training(model: nn.Module, dataset: Any) -> None:
    """Compare what the heads and their losses ignore with what padding and data set write into labels.

    Padding with the number of a class is possible, and logged as a warning.

    Raises:
        InputError: a label may hold a value that is no class and that a head does not ignore.
    """
    heads = {name: head for name, head in heads_of(model).items() if learns_classes(head)}
    filled = [*_padding(model, dataset), *_written_by(dataset)]
    heads = {name: head for name, head in heads.items() if isinstance(head.ignore_index, int)}
    for source, value in filled:
        _refuse_or_warn(source, value, heads)
    for name, head in heads.items():
        ignored = head.ignore_index
        for source, value in _ignored_by(dataset):
            if value != ignored and value >= head.num_classes:
                print_log(
                    f'{source} is {value}, and {name}.ignore_index is {ignored}: a label that holds {value} would be refused',
                    'current',
                    logging.WARNING,
                )
        for place, loss in losses_of(head).items():
            _check_own_value(f'model.{name}.{place}', loss, ignored, head.num_classes)
    for step in transforms_of(dataset):
        if isinstance(step, RandomCrop) and step.cat_max_ratio < 1 and heads:
            _warn_of_crop(step, heads)


def _refuse_or_warn(source: str, value: int, heads: dict[str, Any]) -> None:
    """Look for heads that neither know nor ignore a value that is written into labels."""
    learning = {name: head for name, head in heads.items() if head.ignore_index != value}
    for name, head in learning.items():
        if not 0 <= value < head.num_classes:
            raise InputError(
                f'{source} is {value}, which is none of the {head.num_classes} classes, and {name}.ignore_index is '
                f'{head.ignore_index}: set both to one value, 255 by default'
            )
    if learning:
        print_log(
            f'{source} is {value}, the number of a class: {", ".join(learning)} (ignore_index='
            f'{next(iter(learning.values())).ignore_index}) learns these pixels as that class',
            'current',
            logging.WARNING,
        )


def _written_by(dataset: Any) -> Iterator[tuple[str, int]]:
    """What mmseg's loading itself writes into labels."""
    if any(getattr(inner, 'reduce_zero_label', False) for inner in with_wrappers(dataset)):
        yield 'the label 0 under reduce_zero_label', 255


def _ignored_by(dataset: Any) -> Iterator[tuple[str, int]]:
    for inner in with_wrappers(dataset):
        if isinstance(getattr(inner, 'ignore_index', None), int):
            yield f'ignore_index of the {type(inner).__name__}', inner.ignore_index


def _padding(model: nn.Module, dataset: Any) -> Iterator[tuple[str, int]]:
    """Every setting that fills labels where there is no image, with its value."""
    value = getattr(getattr(inner_model(model), 'data_preprocessor', None), 'seg_pad_val', None)
    if isinstance(value, (int, float)):
        yield 'model.data_preprocessor.seg_pad_val', int(value)
    yield from _padding_of_steps(dataset)


def _padding_of_steps(dataset: Any) -> Iterator[tuple[str, int]]:
    for step in transforms_of(dataset):
        name = type(step).__name__
        if isinstance(step, (RandomRotate, RandomMosaic)):
            yield f'seg_pad_val of {name}', int(step.seg_pad_val)
        elif isinstance(step, Pad) and isinstance(step.pad_val, dict):
            yield f"pad_val['seg'] of {name}", int(step.pad_val.get('seg', 255))
        elif isinstance(step, RandomCutOut) and step.seg_fill_in is not None:
            yield f'seg_fill_in of {name}', int(step.seg_fill_in)


def _check_own_value(path: str, loss: nn.Module, ignored: int, classes: int) -> None:
    """Compare the value that some losses keep themselves with that of their head."""
    name = next((name for name in ('ignore_index', 'ignore_label') if isinstance(getattr(loss, name, None), int)), None)
    if name is None:
        return
    own = getattr(loss, name)
    # For a DiceLoss it is a class that is left out; values beyond the classes are always ignored.
    if own != ignored and not (isinstance(loss, DiceLoss) and ignored >= classes):
        raise InputError(
            f'{path}.{name} is {own}, and ignore_index of its head {ignored}: set --cfg-options {path}.{name}={ignored}'
        )


def _warn_of_crop(step: RandomCrop, heads: dict[str, Any]) -> None:
    head = next(iter(heads.values()))
    if isinstance(head.ignore_index, int) and step.ignore_index != head.ignore_index:
        print_log(
            f'ignore_index of RandomCrop is {step.ignore_index}, and of the heads {head.ignore_index}: cat_max_ratio '
            'counts ignored pixels as a class',
            'current',
            logging.WARNING,
        )


def check_ignored_label_in_scores(model: nn.Module, dataset: Any, evaluator: Evaluator, setting: str) -> None:
    """Compare what the metric ignores with what was not learnt and with the padding of labels.

    Args:
        model: the segmentor.
        dataset: what is scored.
        evaluator: its metrics; those without `ignore_index` are not judged.
        setting: name of the evaluator in the config, for the message.

    Raises:
        InputError: a class that the decode head ignores would be scored, or a filled pixel that is no class.
    """
    heads = [(name, head) for name, head in heads_of(model).items() if name.startswith('decode_head')]
    if not heads or not learns_classes(heads[-1][1]):
        return
    name, head = heads[-1]
    sources = [
        (f'{name}.ignore_index', head.ignore_index),
        *_padding_of_steps(dataset),
        *_written_by(dataset),
        *_ignored_by(dataset),
    ]
    for metric in evaluator.metrics:
        scored = getattr(metric, 'ignore_index', None)
        if not isinstance(scored, int):
            continue
        warned = {scored}
        for source, value in sources:
            if not isinstance(value, int) or value in warned or value < 0:
                continue
            warned.add(value)
            message = f'{source} is {value}, and {setting}.ignore_index is {scored}: '
            if source == f'{name}.ignore_index' and value < head.num_classes:
                raise InputError(
                    f'{message}class {value} is never learnt and would be scored; set --cfg-options {setting}.ignore_index={value}'
                )
            if value >= head.num_classes:
                print_log(f'{message}predictions on pixels of {value} count as wrong', 'current', logging.WARNING)
