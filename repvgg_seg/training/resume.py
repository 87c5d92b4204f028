"""Everything about `--resume`: which file, its random seed, and what is refused."""

import logging
import os.path as osp

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader

from ..errors import InputError
from ..models.match_checkpoint import is_fused
from ..weight_names import unwrap
from .pretrained import drop_pretrained
from .resume_latest_whole_file import checkpoint_folder, fault_of_checkpoint, first_checkpoint_name, latest_checkpoint

AUTO = 'auto'  # what `--resume` without a name means: the latest checkpoint of the work dir


def check_no_earlier_run(cfg: Config) -> None:
    """Refuse a work dir whose checkpoints a new run would overwrite.

    Raises:
        InputError: the folder holds an earlier run.
    """
    name = first_checkpoint_name(cfg.work_dir, checkpoint_folder(cfg))
    if name:
        raise InputError(
            f'{cfg.work_dir} holds an earlier run ({name}), which would be overwritten: '
            '--resume goes on from it, --work-dir DIR starts elsewhere'
        )


def what_to_resume(cfg: Config, option: str | None) -> str | None:
    """The checkpoint to go on from: by `--resume`, or by `resume` and `load_from` of the config; None for a new run.

    `--resume` without a name, and `resume=True` in the config without `load_from`, start anew where the work dir holds no whole
    checkpoint, as in mmengine, so that a job can be queued again with the command that started it.

    Raises:
        InputError: a checkpoint of another folder is named, and the work dir holds an earlier run.
    """
    if not option and cfg.get('resume'):
        option = cfg.get('load_from') or AUTO
    if not option:
        check_no_earlier_run(cfg)
        return None
    folder = checkpoint_folder(cfg)
    if option != AUTO:
        if '://' in option or not osp.isfile(option) or not _is_in(option, (folder, cfg.work_dir)):
            check_no_earlier_run(cfg)
        return option
    latest = latest_checkpoint(cfg.work_dir, folder)
    if latest is None:
        print_log(
            f'--resume: no checkpoint to go on from in {folder}, so the run starts anew', 'current', logging.WARNING
        )
        cfg.resume = False
    return latest


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    return osp.realpath(osp.dirname(path)) in map(osp.realpath, folders)


def resume_from(cfg: Config, checkpoint: str, rule: str = 'config') -> None:
    """Set a config to go on from a checkpoint.

    Where the config has no seed, that of the checkpoint is used: mmengine would restore it only after the sampler is built, and
    the images would come in another order. `Pretrained` weights are dropped, since the checkpoint brings the weights.

    Args:
        cfg: the config, with `work_dir` set.
        checkpoint: a file.
        rule: whose schedule and optimizer settings hold where they differ: 'config' or 'checkpoint'.

    Raises:
        InputError: a file that is absent or cannot be read. One without training state is refused by `check_training_state` when the
            Runner loads it.
    """
    fault = '' if not osp.isfile(checkpoint) else fault_of_checkpoint(checkpoint)
    if fault and checkpoint.endswith('.pth'):
        raise InputError(f'{checkpoint}: {fault}; --resume without a name goes on from the last whole checkpoint')
    cfg.resume, cfg.load_from = True, checkpoint
    meta = CheckpointLoader.load_checkpoint(checkpoint, 'cpu', logger='silent').get('meta') or {}
    seed = meta.get('seed')
    if seed is not None and (cfg.get('randomness') or {}).get('seed') is None:
        cfg.randomness = dict(cfg.get('randomness') or {}, seed=seed)
    others = [
        hook for hook in cfg.get('custom_hooks') or [] if hook.get('type') != 'ResumeScheduleHook'
    ]  # of a stored config
    cfg.custom_hooks = [*others, dict(type='ResumeScheduleHook', rule=rule)]
    drop_pretrained(cfg.model)


def check_training_state(checkpoint: dict, name: str) -> None:
    """Refuse a checkpoint from which no training can go on.

    Args:
        checkpoint: what the file holds.
        name: the file, for the message.

    Raises:
        InputError: counters, optimizer or the log of scalars is missing.
    """
    meta = checkpoint.get('meta') or {}
    if {'meta', 'message_hub', 'optimizer'} <= checkpoint.keys() and {'epoch', 'iter'} <= meta.keys():
        return
    reason = f'{name}: no training state (iterations, optimizer) to resume from'
    if is_fused(unwrap(checkpoint)):
        raise InputError(
            f'{reason}, and the weights are fused, which cannot be undone: name the checkpoint of the training'
        )
    raise InputError(f'{reason}; to start from its weights: --cfg-options load_from={name}, without --resume')
