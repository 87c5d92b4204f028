"""Several processes: how many there are, what they talk through, and how they end."""

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


def leave_group() -> None:
    """Wait for the other processes of a run and end together: one that ends while gloo's threads live may abort."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
