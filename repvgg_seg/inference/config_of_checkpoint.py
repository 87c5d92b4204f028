"""The config that a checkpoint holds, as a network is built from it: a file of a stranger, which must not run code.

A `type` of a config may be the name of any function in any module, which mmengine imports and calls. So of a config in a
checkpoint only the model and the test pipeline are used, and only with names that are registered already.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS as ALL_MODELS
from mmengine.registry import TRANSFORMS as ALL_TRANSFORMS
from mmseg.registry import DATASETS, MODELS, TRANSFORMS

from ..errors import InputError, listed
from ..training.config import dicts_in
from ..weights.stored_config import stored_config

# Arguments that let a part read a file or an address of its own when it is built; the weights are in the checkpoint.
_READS = ('init_cfg', 'pretrained', 'checkpoint_path', 'clip_pretrained', 'backend_args', 'file_client_args')
_REGISTRIES = (MODELS, TRANSFORMS, ALL_MODELS, ALL_TRANSFORMS)
_SCOPES = (None, '', 'mmseg', 'mmengine', 'mmcv')


def config_of_checkpoint(meta: Mapping[str, Any], filename: str) -> Config:
    """The model, the test pipeline and the classes in the config that a checkpoint holds.

    Args:
        meta: that of the checkpoint.
        filename: of the checkpoint, for messages.

    Raises:
        InputError: it holds no config, or one that is more than plain values, or names something that is not registered.
    """
    stored = stored_config(meta)
    if stored is None or not isinstance(stored.get('model'), dict):
        why = 'is more than plain values' if meta.get('cfg') else 'is not in it'
        raise InputError(f'{filename}: the config of its network {why}: name the config as well (--config CONFIG)')
    loader = stored.get('test_dataloader') or {}
    dataset = loader.get('dataset') if isinstance(loader, dict) else None
    cfg = checked_config(dict(model=stored.model, test_pipeline=_pipeline(stored, dataset)), filename)
    if isinstance(dataset, dict) and isinstance(dataset.get('type'), str) and dataset['type'] in DATASETS.module_dict:
        cfg.test_dataloader = dict(dataset=dict(type=dataset['type'], metainfo=dataset.get('metainfo')))
    return cfg


def checked_config(used: dict[str, Any], filename: str) -> Config:
    """A config of the parts that a file holds, from which nothing is built that reads another file.

    Args:
        used: the parts, of plain values; changed in place.
        filename: of the file, for messages.

    Raises:
        InputError: a part names something that is not registered.
    """
    for part in dicts_in(used):
        for name in _READS:
            if part.get(name) is not None:
                part[name] = None
    unknown = sorted({name for name in _types(used) if not _is_registered(name)})
    if unknown:
        raise InputError(
            f'{filename}: its config names what is not registered here, and it is not imported from there '
            f'({listed(unknown)}): name the config as well (--config CONFIG)'
        )
    return Config(used)


def _pipeline(stored: Config, dataset: Any) -> list[Any]:
    given = dataset.get('pipeline') if isinstance(dataset, dict) else None
    return given or stored.get('test_pipeline') or [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]


def _types(parts: dict[str, Any]) -> Iterator[str]:
    """What the parts of a config ask mmengine to look up."""
    for part in dicts_in(parts):
        if 'type' in part:
            yield str(part['type'])
        if part.get('_scope_') not in _SCOPES:
            yield f'_scope_={part["_scope_"]}'


def _is_registered(name: str) -> bool:
    return any(name.removeprefix('mmseg.') in registry.module_dict for registry in _REGISTRIES)
