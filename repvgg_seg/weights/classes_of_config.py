"""The classes and colours that a config gives to a network, for files that name none."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from ..data.wrapped_datasets import inner_configs
from ..errors import listed
from ..weight_names import unwrap

# The functions that read a file for a config and look for classes in the file alone, with their name for the config.
_CALLERS = {('mmseg.apis.inference', 'init_model'): 'config', ('mmengine.infer.infer', '_init_model'): 'cfg'}
_WRAPPED = re.compile(r'^(?:(?:module|_orig_mod|_fsdp_wrapped_module)\.)+')


def classes_of_config(cfg: Mapping[str, Any]) -> dict[str, Any] | None:
    """`dict(classes=names, palette=colours)` of the data set of a config, of which no file is read; None without one."""
    for loader in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        dataset = (cfg.get(loader) or {}).get('dataset')
        if not dataset:
            continue
        first = next(inner_configs(dataset))
        try:
            metainfo = DATASETS.build(dict(first, pipeline=[], lazy_init=True)).metainfo
        except Exception:  # a data set of somebody else's class may raise anything
            continue
        if metainfo.get('classes'):
            return dict(classes=tuple(metainfo['classes']), palette=metainfo.get('palette'))
    return None


def with_classes(checkpoint: dict[str, Any], filename: str) -> dict[str, Any]:
    """A checkpoint that mmengine is about to hand to mmseg, with the classes of the config where the file names none.

    `mmseg.apis.init_model` and `MMSegInferencer` take the classes from the file; in a file of weights alone, the first ends
    in a KeyError. The names of tensors lose the prefixes of torch.compile and of wrappers for several processes, of which
    mmengine knows `module.` alone. The callers do not tell the reader which config they have, so it is looked up in their
    frames. For any other caller, or where that finds no config, the checkpoint is returned as it is.
    """
    cfg = _config_of_caller()
    if cfg is None or not isinstance(checkpoint, dict):
        return checkpoint
    meta = dict(checkpoint.get('meta') or {})
    named = (meta.get('dataset_meta') or {}).get('classes') or meta.get('CLASSES')
    classes = None if named else classes_of_config(cfg)
    if classes:
        names = listed(classes['classes'])
        print_log(
            f'{filename} names no classes: the {len(classes["classes"])} of the config are used: {names}', 'current'
        )
        meta['dataset_meta'] = classes
    elif not named:  # mmseg reads an entry without classes as if it had some
        meta.pop('dataset_meta', None)
    tensors = checkpoint['state_dict'] if 'state_dict' in checkpoint else unwrap(checkpoint)
    rest = checkpoint if 'state_dict' in checkpoint else {}
    return dict(rest, meta=meta, state_dict={_WRAPPED.sub('', name): tensor for name, tensor in tensors.items()})


def _config_of_caller() -> Mapping[str, Any] | None:
    frame = inspect.currentframe()
    while frame is not None:
        name = _CALLERS.get((frame.f_globals.get('__name__', ''), frame.f_code.co_name))
        if name is not None:
            return frame.f_locals.get(name) or None
        frame = frame.f_back
    return None
