"""Several processes: how many there are, what they talk through, and how they end."""

import atexit
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import NoReturn

import torch
from mmengine.config import Config

from ..errors import InputError
from .slurm import variables_of_slurm

TIMEOUT = 1800  # seconds that a process waits for another one, unless env_cfg.dist_cfg.timeout says otherwise


def number_of_processes(cfg: Config) -> int:
    """How many processes the launcher started."""
    if cfg.get('launcher', 'none') == 'none':
        return 1
    variables = ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')
    return int(next(filter(None, map(os.environ.get, variables)), 1))


def settle_launcher(cfg: Config) -> None:
    """Give a process of Slurm or MPI the variables that one of torchrun has, so that all three start alike.

    Args:
        cfg: its `launcher` becomes 'pytorch' unless it is 'none'; `env_cfg.dist_cfg` gets a timeout.

    Raises:
        InputError: a process that its launcher did not start; several processes of torchrun without `--launcher`; more processes
            on this machine than GPUs.
    """
    launcher = cfg.get('launcher', 'none')
    if launcher == 'none':
        if 'TORCHELASTIC_RUN_ID' in os.environ and int(os.environ.get('WORLD_SIZE', 1)) > 1:
            raise InputError(
                f'torchrun started {os.environ["WORLD_SIZE"]} processes, each of which would run alone and write over the files of '
                'the others: add --launcher pytorch, or start with tools/dist_train.sh or tools/dist_test.sh'
            )
        return
    env_cfg = dict(cfg.get('env_cfg') or {})
    settings = dict(env_cfg.get('dist_cfg') or {})
    port = settings.pop('port', None)
    if launcher == 'slurm':
        os.environ.update(variables_of_slurm(os.environ, port))
    elif launcher == 'mpi':
        os.environ.update(_variables_of_mpi(os.environ, port))
    elif 'RANK' not in os.environ:
        raise InputError('--launcher pytorch is for torchrun: start with tools/dist_train.sh or tools/dist_test.sh')
    cfg.launcher = 'pytorch'
    settings['timeout'] = settings.get('timeout') or TIMEOUT
    cfg.env_cfg = dict(env_cfg, dist_cfg=settings)
    gpus, local_rank = torch.cuda.device_count(), int(os.environ.get('LOCAL_RANK', 0))
    if gpus == 1 and launcher == 'slurm':
        os.environ['LOCAL_RANK'] = '0'  # Slurm may show each process its own GPU only
    elif 0 < gpus <= local_rank:
        raise InputError(
            f'process {local_rank + 1} on this machine has no GPU, there are {gpus}: start as many processes as GPUs'
        )


def _variables_of_mpi(given: Mapping[str, str], port: int | None) -> dict[str, str]:
    """What torchrun would set, from the variables of Open MPI.

    Raises:
        InputError: mpirun did not start this process, or nothing says where the first one is.
    """
    try:
        rank, size, local = (given[f'OMPI_COMM_WORLD_{name}'] for name in ('RANK', 'SIZE', 'LOCAL_RANK'))
    except KeyError as missing:
        raise InputError(f'--launcher mpi is for mpirun of Open MPI, which sets {missing}: start with it') from None
    here = given.get('OMPI_COMM_WORLD_LOCAL_SIZE', size)
    if here != size and 'MASTER_ADDR' not in given:
        raise InputError(
            '--launcher mpi: on several machines, set MASTER_ADDR to the address of that of rank 0 (mpirun -x MASTER_ADDR)'
        )
    return dict(
        RANK=rank,
        WORLD_SIZE=size,
        LOCAL_RANK=local,
        LOCAL_WORLD_SIZE=here,
        MASTER_ADDR=given.get('MASTER_ADDR', '127.0.0.1'),
        MASTER_PORT=str(port or given.get('MASTER_PORT', 29500)),
    )


def use_gloo_without_gpu(cfg: Config) -> None:
    """Connect several processes on a CPU; mmengine's launchers know GPUs only.

    Args:
        cfg: after `settle_launcher`.

    Raises:
        InputError: the processes do not find each other.
    """
    if cfg.get('launcher', 'none') != 'pytorch' or torch.cuda.is_available():
        return
    timeout = cfg.env_cfg.dist_cfg.timeout
    try:
        torch.distributed.init_process_group('gloo', timeout=timedelta(seconds=timeout))
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f'process {os.environ["RANK"]} of {os.environ.get("WORLD_SIZE")} does not reach the others through '
            f'{os.environ.get("MASTER_ADDR")}, port {os.environ.get("MASTER_PORT")} ({str(error).splitlines()[0]}): start all of '
            'them, and set MASTER_ADDR and MASTER_PORT to a free port of the first machine'
        ) from error
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
