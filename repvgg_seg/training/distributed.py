"""Several processes: how many there are, what they talk through, and how they end."""

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

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
    of_config = dict(find_unused_parameters=cfg.get('find_unused_parameters', False)) | cfg.get('model_wrapper_cfg', {})
    wrapper = dict(type='MMDistributedDataParallel', broadcast_buffers=False) | of_config
    if wrapper['type'] == 'MMDistributedDataParallel':  # the one that mmengine gives the number of a GPU
        wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper


def end_together() -> None:
    """Wait for the other processes of a run, and end this process with status 0; does nothing where there is no group."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
        end_process(0)


def end_process(status: int) -> NoReturn:
    """End this process as `multiprocessing` ends its children: exit handlers run, the interpreter is not torn down.

    The gloo thread that ran the last collective call releases its tensors some time after the call has returned. If the
    interpreter is being torn down by then, the thread asks for the interpreter's lock, is ended by force in the middle of C++
    code, and that aborts the process: "terminate called without an active exception"
    (https://github.com/pytorch/pytorch/issues/190489). Destroying the group does not end the thread: functions of torch keep
    the group as the default value of an argument.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed, or nobody reads it any more
            stream.flush()
    os._exit(status)


def is_first_to_say(message: str) -> bool:
    """Whether no other process of the run has asked this for the same message; True where it cannot be known."""
    if not torch.distributed.is_initialized():
        return True
    try:
        return torch.distributed.distributed_c10d._get_default_store().add(f'repvgg_seg {message}', 1) == 1
    except Exception:  # the store is gone with the process that held it, or torch keeps it elsewhere
        return True
