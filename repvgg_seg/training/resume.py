"""Everything about `--resume`: which file, its random seed, and what is refused."""

import os.path as osp

from mmengine.config import Config
from mmengine.runner import CheckpointLoader, find_latest_checkpoint

from ..errors import InputError
from ..models.match_checkpoint import is_fused
from ..weight_names import unwrap
from .pretrained import drop_pretrained

AUTO = 'auto'  # what `--resume` without a name means: the latest checkpoint of the work dir


def latest_checkpoint(work_dir: str) -> str | None:
    """The checkpoint that an earlier run in this folder wrote last; None where there was no run.

    mmengine's `find_latest_checkpoint` prints a line where the folder holds no `last_checkpoint`, so it is not asked then.
    """
    return find_latest_checkpoint(work_dir) if osp.exists(osp.join(work_dir, 'last_checkpoint')) else None


def check_no_earlier_run(work_dir: str) -> None:
    """Refuse a work dir whose checkpoints a new run would overwrite.

    Raises:
        InputError: the folder holds an earlier run.
    """
    latest = latest_checkpoint(work_dir)
    if latest:
        raise InputError(
            f'{work_dir} holds an earlier run ({osp.basename(latest)}), which would be overwritten: '
            '--resume goes on from it, --work-dir DIR starts elsewhere'
        )


def what_to_resume(cfg: Config, option: str | None) -> str | None:
    """The checkpoint to go on from: by `--resume`, or by `resume` and `load_from` of the config; None for a new run.

    `resume=True` in the config without `load_from` starts anew where the work dir holds no checkpoint, as in mmengine, so that a job
    can be queued again with the command that started it.

    Returns:
        A file, 'auto' for the latest in the work dir, or None.
    """
    if option or not cfg.get('resume'):
        return option
    return cfg.get('load_from') or (AUTO if latest_checkpoint(cfg.work_dir) else None)


def resume_from(cfg: Config, checkpoint: str, rule: str = 'config') -> None:
    """Set a config to go on from a checkpoint.

    Where the config has no seed, that of the checkpoint is used: mmengine would restore it only after the sampler is built, and
    the images would come in another order. `Pretrained` weights are dropped, since the checkpoint brings the weights.

    Args:
        cfg: the config, with `work_dir` set.
        checkpoint: a file, or 'auto' for the latest in the work dir.
        rule: whose schedule and optimizer settings hold where they differ: 'config' or 'checkpoint'.

    Raises:
        InputError: 'auto' and there is no checkpoint, or a file that is absent or cannot be read. One without training state is
            refused by `check_training_state` when the Runner loads it.
    """
    if checkpoint == AUTO:
        latest = latest_checkpoint(cfg.work_dir)
        if latest is None:
            raise InputError(f'--resume: no checkpoint in {cfg.work_dir}; start without it, or name one')
        checkpoint = latest
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
