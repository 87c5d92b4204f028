"""Config files: reading one, and finding dicts in it."""

import os.path as osp
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from mmengine.config import Config

from ...errors import InputError
from ...invocation import config_name
from ...registry import drop_scope
from .find_config import find_config
from .set_options import set_options


def load_config(path: str, options: dict | None = None) -> Config:
    """Read a config, found by `find_config`, and put `--cfg-options` over it.

    Modules beside the config can be imported from then on, so that `custom_imports` finds them.

    Args:
        path: a Python file, as mmengine reads it, or the name of a config of this package.
        options: new values by their dotted keys, `{'model.backbone.arch': 'B2'}`. The texts of a command line (`TypedText`) are
            replaced in it by the values that they mean.

    Raises:
        InputError: there is no such file or name, it cannot be read, or the options do not fit it.
    """
    path = find_config(path)
    if (folder := osp.dirname(osp.abspath(path))) not in sys.path:
        sys.path.append(folder)  # behind all others, so that it hides no module
    if path.endswith(('.pth', '.safetensors')):
        raise InputError(f'{path} is a checkpoint: the config comes first, then the checkpoint')
    try:
        if path.endswith(('.yml', '.yaml')):  # mmengine's reader would create any object that the file names
            yaml.safe_load(Path(path).read_text(encoding='utf-8'))
        cfg = Config.fromfile(path)
        cfg.pop('_scope_', None)
        for value in cfg.values():  # here mmengine imports what a config of its lazy kind names
            drop_scope(value)
    except Exception as error:  # a config is Python and can raise anything
        reason = ' '.join(
            (
                str(error)
                if not isinstance(error, ImportError) or error.__cause__ is None
                else _missing_module(error.__cause__)
            ).split()
        )
        raise InputError(f'{path} cannot be read as a config: {type(error).__name__}: {reason}') from error
    set_options(cfg, {} if options is None else options)
    for key, value in cfg.items():
        if isinstance(value, type) and value.__module__ == 'builtins':
            raise InputError(f'{path}: {key} is the type {value.__name__} itself: write {key}={value.__name__}(...)')
    if cfg.get('model') is None:
        raise InputError(
            f'{path} has no model: it is a part of a config; name a whole config, such as {config_name("pspnet_repvgg_b2")}'
        )
    return cfg


def _missing_module(error: BaseException) -> str:
    """What could not be imported: mmengine names the list of `custom_imports` and prints the whole search path."""
    while error.__context__ is not None:
        error = error.__context__
    return f'{error} (custom_imports finds modules beside the config and on PYTHONPATH)'


def dicts_in(value: object) -> Iterator[dict]:
    """Every dict in a nest of dicts and lists, the outer ones first."""
    if isinstance(value, dict):
        yield value
        items: list = list(value.values())
    elif isinstance(value, (list, tuple)):
        items = list(value)
    else:
        return
    for item in items:
        yield from dicts_in(item)
