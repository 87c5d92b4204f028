"""`--cfg-options` put over a config: each value at its key, read beside the value that stands there."""

import inspect
import logging
import reprlib
from collections.abc import Callable, Iterator
from typing import Any

import mmseg.registry as mmseg
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...errors import InputError, did_you_mean, similar_names
from ..protections import DISABLED
from .argument_kinds import Kinds, kinds_of_argument
from .option_values import ABSENT, TypedText, value_of

# Top-level keys that the Runner and our tools read. Any other one is a variable of the config file, or a user's own.
READ_KEYS = set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} | {
    *('model_wrapper_cfg', 'find_unused_parameters', 'sync_bn', 'compile'),  # read from the Runner's config
    *('tta_model', 'tta_pipeline', DISABLED),
}


def set_options(cfg: Config, options: dict[str, Any]) -> None:
    """Put options over a config, one after another.

    Args:
        cfg: changed in place.
        options: values by their dotted keys, `{'model.backbone.arch': 'B2'}`. A `TypedText` is read beside the value that the
            config has, and replaced in this dict by what it means.

    Raises:
        InputError: a key that leads nowhere, or a text that cannot be read.
    """
    for key in sorted(
        options, key=lambda key: not key.endswith('._delete_')
    ):  # those first, in whatever order they came
        value = options[key]
        *path, last = key.split('.')
        if not all((*path, last)):
            raise InputError(f'--cfg-options {key!r}: an empty name in this key; give KEY.KEY=VALUE')
        is_new = key.split('.')[0] not in cfg
        parent = _parent(cfg._cfg_dict, path, last)
        old = _item(parent, last)
        if isinstance(value, TypedText):
            try:
                value = options[key] = value_of(value, old, _kinds(parent, path, last))
            except (ValueError, RecursionError) as error:
                reason = 'it is nested too deeply' if isinstance(error, RecursionError) else error
                raise InputError(
                    f'--cfg-options {key}={reprlib.repr(str(value)) if len(value) > 400 else value}: cannot be read ({reason}); the config has '
                    f'{"no such key" if old is ABSENT else reprlib.repr(old)}; lists are given as "[a, b]", dicts as "{{\'a\': 1}}"'
                ) from None
        _set(cfg, parent, key, last, value, old)
        _check_top_level(cfg, [*path, last][0], is_new, key, old)


def _parent(node: Any, path: list[str], last: str) -> Any:
    """The dict or list that holds the last name of a key; an empty dict where the config has none on the way."""
    for i, name in enumerate([*path, last]):
        place = '.'.join(path[:i])
        if isinstance(node, (list, tuple)):
            _check_index(name, node, place)
        elif not isinstance(node, dict):
            raise InputError(
                f'--cfg-options {".".join([*path, last])} does not fit: {place} is {reprlib.repr(node)}, which has no {name}; '
                f'set {place} as a whole'
            )
        if i < len(path):
            node = _item(node, name)
            if node is ABSENT:
                return {}
    return node


def _check_index(name: str, items: list | tuple, place: str) -> None:
    if not name.isdigit() or int(name) >= len(items):
        numbers = f'0 to {len(items) - 1}' if items else 'none, since it is empty'
        raise InputError(f'--cfg-options {place}.{name} does not fit: {place} is a list, its items: {numbers}')


def _item(parent: Any, name: str) -> Any:
    if isinstance(parent, (list, tuple)):
        return parent[int(name)]
    return dict.get(parent, name, ABSENT)


def _set(cfg: Config, parent: Any, key: str, last: str, value: Any, old: Any) -> None:
    """Merge a dict into a dict, as mmengine does, which knows `_delete_` outside lists only; replace anything else."""
    value = _copied(value)
    if isinstance(old, list) and isinstance(value, dict) and value and all(name.isdigit() for name in value):
        for name in value:
            _check_index(name, old, key)
    elif last == '_delete_' and isinstance(parent, dict):
        if value:
            parent.clear()
        return
    elif isinstance(value, dict) and (value.pop('_delete_', False) or not isinstance(old, dict)) and old is not ABSENT:
        if isinstance(parent, dict):
            parent.pop(last)
        elif isinstance(parent, list):
            parent[int(last)] = {}
    try:
        cfg.merge_from_dict({key: value})
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f'--cfg-options {key} does not fit the config: {error}') from error


def _copied(value: Any) -> Any:
    """A copy, since merging takes `_delete_` out of the dicts."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if type(value) is list else value


def _kinds(parent: Any, path: list[str], last: str) -> Kinds:
    """The types that the argument at a place takes, where the class that takes it is known."""
    if not path:
        return kinds_of_argument(Runner, last)
    if path[-1].endswith('_dataloader'):
        return kinds_of_argument(DataLoader, last)
    kind = parent.get('type') if isinstance(parent, dict) else None
    for cls in [kind] if callable(kind) else _registered(kind):
        kinds = kinds_of_argument(cls, last)
        if kinds is not None:
            return kinds
    return None


def _registered(name: Any) -> Iterator[Callable]:
    """The classes of this name in all registries."""
    for registry in vars(mmseg).values():
        level = registry if isinstance(registry, Registry) else None
        while level is not None:
            if isinstance(name, str) and name in level.module_dict:
                yield level.module_dict[name]
            level = level.parent


def _check_top_level(cfg: Config, name: str, is_new: bool, key: str, old: Any) -> None:
    """Refuse a new top-level key that is a slip of one that is read; say of others that nothing reads them.

    Such a key is a variable that other settings of the config file were made from.
    """
    if name in READ_KEYS:
        return
    if is_new and (close := similar_names(name, READ_KEYS, cutoff=0.87)):
        raise InputError(f'--cfg-options {key}: the config has no {name!r}; {did_you_mean(close).strip()}')
    places = [place for place in _places(cfg._cfg_dict, old) if place.split('.')[0] in READ_KEYS]
    instead = f'set {", ".join(places[:4])}' if places else 'set the key that is read'
    print_log(
        f'--cfg-options {key}: neither the Runner nor the tools read {name!r}; a variable of a config file is used up when the file is read: {instead}',
        'current',
        logging.WARNING,
    )


def _places(value: Any, wanted: Any, place: str = '') -> Iterator[str]:
    """The keys at which this value stands."""
    if type(value) is type(wanted) and value == wanted and wanted is not None:
        yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, item in items:
        yield from _places(item, wanted, f'{place}.{key}' if place else str(key))
