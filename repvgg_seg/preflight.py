"""What a config can be told before anything is built from it."""

import os
import os.path as osp

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from .errors import InputError
from .models.weights import missing_weights_message


def load_config(path: str, options: 'dict | None' = None) -> Config:
    """Read a config and put `--cfg-options` over it.

    Raises:
        InputError: no such file, one that is no config, or options that do not fit it.
    """
    if not osp.isfile(path):
        raise InputError(f'no config {path}: see configs/')
    try:
        cfg = Config.fromfile(path)
    except (OSError, SyntaxError, TypeError, KeyError) as error:
        raise InputError(f'{path} is no config: {error}') from error
    try:
        cfg.merge_from_dict(options or {})
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f'--cfg-options do not fit {path}: {error}') from error
    return cfg


def default_work_dir(cfg: Config, config_path: str, work_dir: 'str | None') -> None:
    """`work_dir` in mmseg's order: the command line, the config, `work_dirs/` and the config's name."""
    name = osp.splitext(osp.basename(config_path))[0]
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', name)


def check_pretrained(model_cfg: dict) -> None:
    """Raise `InputError` where a `Pretrained` init_cfg names a local file that is not there."""
    for part in _dicts_in(model_cfg):
        path = part.get('checkpoint')
        if part.get('type') == 'Pretrained' and '://' not in path and not osp.isfile(path):
            raise InputError(missing_weights_message(path))


def use_bn_without_peers(cfg: Config) -> None:
    """Replace SyncBN by BN in the model where there is nothing to synchronise: no GPU, or one process."""
    alone = cfg.get('launcher', 'none') == 'none' or os.environ.get('WORLD_SIZE') == '1'
    if torch.cuda.is_available() and not alone:
        return
    synced = [part for part in _dicts_in(cfg.model) if part.get('type') == 'SyncBN']
    for part in synced:
        part['type'] = 'BN'
    if synced:
        print_log(
            'SyncBN becomes BN: ' + ('one process' if alone else 'no GPU') + ', nothing to synchronise', 'current'
        )


def use_gloo_without_gpu(cfg: Config) -> None:
    """Let several processes that torchrun started work together on a CPU, which mmengine's launcher does not know."""
    if torch.cuda.is_available() or cfg.get('launcher', 'none') != 'pytorch':
        return
    torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


def _dicts_in(value):
    """Every dict in a nest of dicts and lists."""
    if isinstance(value, dict):
        yield value
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for item in value:
        yield from _dicts_in(item)
