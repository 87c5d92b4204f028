"""Several processes: how many there are, what they talk through, and how they share a batch."""

import os

import torch
from mmengine.config import Config

from ..errors import InputError


def number_of_processes(cfg: Config) -> int:
    """How many processes the launcher started."""
    if cfg.get('launcher', 'none') == 'none':
        return 1
    variables = ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')
    return int(next(filter(None, map(os.environ.get, variables)), 1))


def use_gloo_without_gpu(cfg: Config) -> None:
    """Connect several processes that torchrun started on a CPU; mmengine's launcher knows GPUs only.

    Raises:
        InputError: `--launcher pytorch` in a process that torchrun did not start.
    """
    if cfg.get('launcher', 'none') != 'pytorch':
        return
    if 'RANK' not in os.environ:
        raise InputError('--launcher pytorch is for torchrun: start with tools/dist_train.sh or tools/dist_test.sh')
    if torch.cuda.is_available():
        return
    torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


def keep_global_batch(cfg: Config) -> None:
    """Set the batch of each process so that all together have the global batch of the recipe.

    Raises:
        InputError: the config has no recipe's batch, or the processes cannot share it evenly.
    """
    recipe = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if not recipe:
        raise InputError('--keep-global-batch: the config has no auto_scale_lr=dict(base_batch_size=...)')
    processes = number_of_processes(cfg)
    if recipe % processes:
        raise InputError(f'--keep-global-batch: {processes} processes cannot share {recipe} images evenly')
    cfg.train_dataloader.batch_size = recipe // processes


def scale_learning_rate(cfg: Config) -> None:
    """Let mmengine scale the learning rate by the global batch over that of the recipe.

    Raises:
        InputError: the config has no recipe's batch.
    """
    if 'auto_scale_lr' not in cfg:
        raise InputError('--auto-scale-lr: the config has no auto_scale_lr=dict(base_batch_size=...)')
    cfg.auto_scale_lr.enable = True


def leave_group() -> None:
    """Wait for the other processes of a run and end together: one that ends while gloo's threads live may abort."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
