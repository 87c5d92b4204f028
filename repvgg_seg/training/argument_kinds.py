"""The types that an argument takes, read from its annotation."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from .class_arguments import arguments_of

# None where the annotation is absent, or speaks of something that is no plain value of a config.
Kinds = set[type] | None

_PLAIN = (str, bool, int, float, dict, list, tuple, type(None))


@cache
def kinds_of_argument(target: Callable, name: str) -> Kinds:
    """The types that an argument of a class or function takes; None where they are not known."""
    owner = arguments_of(target).owners.get(name)
    if owner is None:
        return None
    function = vars(owner).get('__init__') if inspect.isclass(owner) else owner
    parameter = inspect.signature(function or owner).parameters.get(name)
    if parameter is None or parameter.annotation is parameter.empty:
        return None
    annotation = parameter.annotation
    if isinstance(annotation, str):
        try:
            annotation = typing.get_type_hints(function)[name]
        except Exception:  # a name that is imported for type checkers alone
            return None
    kinds = _kinds(annotation)
    return None if kinds is None else kinds | ({type(None)} if parameter.default is None else set())


def _kinds(annotation: Any) -> Kinds:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        parts = [_kinds(part) for part in typing.get_args(annotation)]
        return None if None in parts else set().union(*parts)  # type: ignore[arg-type]
    if origin is typing.Literal:
        return {type(value) for value in typing.get_args(annotation)}
    kind = type(None) if annotation is None else origin or annotation
    if not isinstance(kind, type):
        return None
    if kind in _PLAIN:
        return {kind}
    if issubclass(kind, dict) or kind in (Mapping, typing.Mapping):
        return {dict}
    return {list, tuple} if kind in (Sequence, tuple, list) else None
