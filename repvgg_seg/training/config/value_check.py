"""Values of a config that an argument cannot take: text for a number, a negative number of workers.

An annotation is believed where the class is of a package that is known to keep to it, and then only what no reading of it allows
is refused.
"""

import reprlib
from collections.abc import Callable
from typing import Any

from ...data.checked_pipeline import KNOWN_PACKAGES
from ...errors import InputError
from .argument_kinds import default_of, kinds_of_argument
from .class_arguments import arguments_of

_WHOLE = (
    'batch_size',
    'num_workers',
    'prefetch_factor',
    'max_iters',
    'max_epochs',
    'val_interval',
    'num_classes',
    'channels',
)
_TEXTS = ('data_root', 'ann_file', 'work_dir', 'load_from', 'experiment_name', 'default_scope')
# Arguments without annotation or default value, which are numbers wherever mmseg has them.
_NUMBERS_BY_NAME = ('num_classes', 'channels')
_LEAST = {
    'batch_size': 1, 'num_workers': 0, 'prefetch_factor': 1, 'max_iters': 1, 'max_epochs': 1, 'val_interval': 1,
    'num_classes': 1, 'channels': 1, 'lr': 0, 'weight_decay': 0, 'accumulative_counts': 1,
}  # fmt: skip
_WORDS = {
    str: 'text',
    bool: 'True or False',
    int: 'a number',
    float: 'a number',
    dict: 'a dict',
    list: 'a list',
    tuple: 'a list',
}


def check_value(value: Any, path: str, cls: Callable, name: str) -> None:
    """Compare the value of an argument with what its class can take.

    Args:
        value: as the config has it.
        path: the place in the config.
        cls: the class or function.
        name: the argument.

    Raises:
        InputError: no value of this kind, or one out of its range.
    """
    owner = arguments_of(cls).owners.get(name)
    if getattr(owner, '__module__', '').split('.')[0] not in (*KNOWN_PACKAGES, 'torch'):
        return
    annotated = kinds_of_argument(cls, name)
    kinds = annotated or _kinds_of_default(cls, name)
    if name in _WHOLE and isinstance(value, float) and not value.is_integer():
        raise InputError(f'{path}: got {value}; give a whole number')
    if not _fits(value, kinds, name, annotated is not None):
        takes = ' or '.join(dict.fromkeys(word for kind, word in _WORDS.items() if kind in kinds))
        came = next(word for kind, word in _WORDS.items() if isinstance(value, kind))
        raise InputError(f'{path}: got {reprlib.repr(value)}, {came}; it takes {takes}')
    least = _LEAST.get(name)
    if least is not None and type(value) in (int, float) and not value >= least:
        raise InputError(f'{path}: got {value}; give a number from {least} on')


def _kinds_of_default(cls: Callable, name: str) -> set[type]:
    """What an argument without annotation takes, as its default value shows; empty where that shows nothing."""
    kind = type(default_of(cls, name))
    if name in _NUMBERS_BY_NAME or kind in (int, float):
        return {int, float}
    return {bool} if kind is bool else set()


def _fits(value: Any, kinds: set[type], name: str, annotated: bool) -> bool:
    """Whether an argument may take a value.

    Lists are judged by annotations alone, and a number in the place of text by the name: mmengine annotates `loss_scale` as text.
    """
    numbers, containers = kinds & {bool, int, float}, kinds & {dict, list, tuple}
    if value is False:  # many take it for None
        return True
    if isinstance(value, str):
        return not kinds or str in kinds
    if isinstance(value, (bool, int, float)):
        return bool(numbers) or not (containers or (kinds and name in _TEXTS))
    return not isinstance(value, (dict, list, tuple)) or not annotated or bool(containers) or not numbers
