"""What a config can be told before anything is built from it."""

import ast
import os
import os.path as osp

import torch
from mmengine.config import Config, DictAction
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader, find_latest_checkpoint

from ..errors import InputError
from ..registry import drop_scope
from ..weights.published import missing_weights_message
from .find_config import find_config


class CfgOptions(DictAction):
    """mmengine's `--cfg-options`, which also takes a dict in Python's notation and says what it cannot read."""

    @staticmethod
    def _parse_iterable(value):
        return ast.literal_eval(value) if value.startswith('{') else DictAction._parse_iterable(value)

    def __call__(self, parser, namespace, values, option_string=None):
        try:
            super().__call__(parser, namespace, values, option_string)
        except (AssertionError, RecursionError, SyntaxError, ValueError):
            parser.error(
                f'cannot read {" ".join(values)!r}: give key=value, with lists as key="[a,b]" and dicts as key="{{\'a\': 1}}"'
            )


def load_config(path: str, options: 'dict | None' = None) -> Config:
    """Read a config, found by `find_config`, and put `--cfg-options` over it.

    Raises:
        InputError: no such file or name, one that is no config, or options that do not fit it.
    """
    path = find_config(path)
    if path.endswith(('.pth', '.safetensors')):
        raise InputError(f'{path} is a checkpoint: the config comes first, then the checkpoint')
    try:
        cfg = Config.fromfile(path)
    except (OSError, SyntaxError, TypeError, KeyError) as error:
        raise InputError(f'{path} is no config: {error}') from error
    drop_scope(cfg._cfg_dict)
    try:
        cfg.merge_from_dict(options or {})
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f'--cfg-options do not fit {path}: {error}') from error
    if 'model' not in cfg:
        raise InputError(f'{path} has no model: it is a part of a config; take one of configs/*.py')
    return cfg


def default_work_dir(cfg: Config, config_path: str, work_dir: 'str | None') -> None:
    """`work_dir` in mmseg's order: the command line, the config, `work_dirs/` and the config's name."""
    name = osp.splitext(osp.basename(config_path))[0]
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', name)


def check_folder(path: 'str | None', option: str) -> None:
    """Make the folder that an option names; `InputError` where that will not do."""
    try:
        if path:
            os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(f'{option} {path}: cannot make this folder ({error.strerror}); name another') from None


def check_work_dir_is_new(work_dir: str) -> None:
    """Raise `InputError` where a run would write over the checkpoints of an earlier one."""
    latest = find_latest_checkpoint(work_dir) if osp.isdir(work_dir) else None
    if latest:
        raise InputError(
            f'{work_dir} holds an earlier run ({osp.basename(latest)}), which would be overwritten: '
            '--resume goes on from it, --work-dir DIR starts elsewhere'
        )


def resume_from(cfg: Config, checkpoint: str) -> None:
    """Set a config to go on from a checkpoint, or with 'auto' from the latest in its work dir.

    The seed comes from it too, where the config has none: mmengine would restore that only after the sampler is built, and
    the images would come in another order.

    Raises:
        InputError: 'auto' and there is none, or one that cannot be read.
    """
    if checkpoint == 'auto':
        checkpoint = find_latest_checkpoint(cfg.work_dir) if osp.isdir(cfg.work_dir) else None
        if checkpoint is None:
            raise InputError(f'--resume: no checkpoint in {cfg.work_dir}; start without it, or name one')
    cfg.resume, cfg.load_from = True, checkpoint
    seed = CheckpointLoader.load_checkpoint(checkpoint, 'cpu').get('meta', {}).get('seed')
    if seed is not None and (cfg.get('randomness') or {}).get('seed') is None:
        cfg.randomness = dict(cfg.get('randomness') or {}, seed=seed)
    for part in list(_dicts_in(cfg.model)):
        if (part.get('init_cfg') or {}).get('type') == 'Pretrained':
            part['init_cfg'] = None  # the checkpoint brings the weights


def check_pretrained(model_cfg: dict) -> None:
    """Raise `InputError` where a `Pretrained` init_cfg names no file, or a local one that is not there."""
    for part in _dicts_in(model_cfg):
        if part.get('type') != 'Pretrained':
            continue
        path = part.get('checkpoint')
        if not path:
            raise InputError(
                'init_cfg Pretrained without a checkpoint: to train from scratch set init_cfg=None as a whole'
            )
        if '://' not in path and not osp.isfile(osp.expanduser(path)):
            raise InputError(missing_weights_message(path))


def fit_loaders(cfg: Config) -> None:
    """Leave out what a loader cannot have: workers that persist where there are none, pinned memory without a GPU."""
    for loader in filter(None, map(cfg.get, ('train_dataloader', 'val_dataloader', 'test_dataloader'))):
        if not loader.get('num_workers'):
            loader.pop('persistent_workers', None)
            loader.pop('prefetch_factor', None)
        if not torch.cuda.is_available():
            loader.pop('pin_memory', None)


def use_amp(cfg: Config) -> None:
    """Train in mixed precision: float16 with a dynamic loss scale on a GPU, bfloat16 on a CPU."""
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    else:
        cfg.optim_wrapper.type = 'AutocastOptimWrapper'


def use_bn_without_peers(cfg: Config) -> None:
    """Replace SyncBN by BN in the model where there is nothing to synchronise: no GPU, or one process."""
    alone = _processes(cfg) == 1
    if torch.cuda.is_available() and not alone:
        return
    synced = [part for part in _dicts_in(cfg.model) if part.get('type') == 'SyncBN']
    for part in synced:
        part['type'] = 'BN'
    if synced:
        print_log(
            'SyncBN becomes BN: ' + ('one process' if alone else 'no GPU') + ', nothing to synchronise', 'current'
        )


def _processes(cfg: Config) -> int:
    """How many processes the launcher started."""
    if cfg.get('launcher', 'none') == 'none':
        return 1
    variables = ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')
    return int(next(filter(None, map(os.environ.get, variables)), 1))


def keep_global_batch(cfg: Config) -> None:
    """Share the global batch of the recipe among the processes that there are, instead of the config's batch for each.

    Raises:
        InputError: a config without a recipe's batch, or one that the processes cannot share evenly.
    """
    recipe = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if not recipe:
        raise InputError('--keep-global-batch: the config has no auto_scale_lr=dict(base_batch_size=...)')
    processes = _processes(cfg)
    if recipe % processes:
        raise InputError(f'--keep-global-batch: {processes} processes cannot share {recipe} images evenly')
    cfg.train_dataloader.batch_size = recipe // processes


def use_gloo_without_gpu(cfg: Config) -> None:
    """Let several processes that torchrun started work together on a CPU, which mmengine's launcher does not know."""
    if cfg.get('launcher', 'none') != 'pytorch':
        return
    if 'RANK' not in os.environ:
        raise InputError('--launcher pytorch is for torchrun: start with tools/dist_train.sh or tools/dist_test.sh')
    if torch.cuda.is_available():
        return
    torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


def leave_group() -> None:
    """Wait for the other processes of a run and end together: one that ends with gloo's threads alive may abort."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def _dicts_in(value):
    """Every dict in a nest of dicts and lists."""
    if isinstance(value, dict):
        yield value
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for item in value:
        yield from _dicts_in(item)
