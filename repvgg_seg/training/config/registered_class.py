"""The class that a `type` of a config names, found in its registry."""

import reprlib
from collections.abc import Callable
from typing import Any

from mmengine.registry import Registry

from ...errors import InputError, closest_names


def find_class(kind: Any, path: str, registry: Registry, scope: str) -> Callable:
    """The class of a `type`, which is a name or the class itself.

    Raises:
        InputError: no class is registered under that name.
    """
    if callable(kind):
        return kind
    if not isinstance(kind, str):
        raise InputError(f'{path}: got {reprlib.repr(kind)}; a {registry.name} is given by its name or as a class')
    found = None if scope == 'mmseg' else _look_up(kind, registry, scope)
    found = found or _look_up(kind, registry)
    if found is None:
        raise InputError(
            f'{path}: no {registry.name} has the name {kind!r}{closest_names(kind, _names(registry))}; check its spelling, or '
            'name the module that registers it in custom_imports'
        )
    return found


def _look_up(name: str, registry: Registry, scope: str | None = None) -> Callable | None:
    try:
        if scope is None:
            return registry.get(name)
        with registry.switch_scope_and_registry(scope) as scoped:
            return scoped.get(name)
    except Exception:  # an import on the way to a name with dots may raise anything
        return None


def _names(registry: Registry | None) -> list[str]:
    """What a registry and those above it hold."""
    return [*registry.module_dict, *_names(registry.parent)] if registry is not None else []
