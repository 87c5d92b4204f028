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

# `AmpOptimWrapper` declares text, and takes 'dynamic', a number or the arguments of a gradient scaler.
_WRONGLY_ANNOTATED: dict[str, set[type]] = {'loss_scale': {str, float, dict}}


@cache
def kinds_of_argument(target: Callable, name: str) -> Kinds:
    """The types that an argument of a class or function takes; None where they are not known."""
    parameter = _parameter(target, name)
    if parameter is None or parameter.annotation is parameter.empty:
        return None
    if name in _WRONGLY_ANNOTATED:
        return _WRONGLY_ANNOTATED[name]
    annotation = parameter.annotation
    if isinstance(annotation, str):
        try:
            annotation = typing.get_type_hints(_function(target, name))[name]
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


def default_of(target: Callable, name: str) -> Any:
    """The default value of an argument; `inspect.Parameter.empty` where it has none or is not known."""
    parameter = _parameter(target, name)
    return inspect.Parameter.empty if parameter is None else parameter.default


def _function(target: Callable, name: str) -> Callable | None:
    """The function or constructor that declares an argument."""
    owner = arguments_of(target).owners.get(name)
    return vars(owner).get('__init__', owner) if inspect.isclass(owner) else owner


def _parameter(target: Callable, name: str) -> inspect.Parameter | None:
    function = _function(target, name)
    return None if function is None else inspect.signature(function).parameters.get(name)
