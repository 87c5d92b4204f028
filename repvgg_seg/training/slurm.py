"""Processes that Slurm's srun started: what torchrun would have told them."""

import re
import shutil
import subprocess
from collections.abc import Mapping

from ..errors import InputError

_FIRST_PORT, _PORTS = 10000, 20000  # below the ports that a system gives out by itself


def variables_of_slurm(given: Mapping[str, str], port: int | None = None) -> dict[str, str]:
    """The variables that torchrun sets, from those of Slurm.

    The port comes from the number of the job, so that two jobs on one machine do not fight for one.

    Args:
        given: the environment of a process that srun started; its MASTER_ADDR and MASTER_PORT are kept.
        port: that of the first process, from the config; None to choose one.

    Raises:
        InputError: srun did not start this process.
    """
    try:
        rank, size = given['SLURM_PROCID'], given['SLURM_NTASKS']
    except KeyError as missing:
        raise InputError(
            f'--launcher slurm is for srun, which sets {missing}: start with tools/slurm_train.sh or tools/slurm_test.sh'
        ) from None
    nodes = given.get('SLURM_STEP_NODELIST') or given.get('SLURM_NODELIST') or '127.0.0.1'
    return dict(
        RANK=rank,
        WORLD_SIZE=size,
        LOCAL_RANK=given.get('SLURM_LOCALID', rank),
        LOCAL_WORLD_SIZE=_tasks_here(given) or size,
        MASTER_ADDR=given.get('MASTER_ADDR') or _first_host(nodes),
        MASTER_PORT=str(port or given.get('MASTER_PORT') or _port(given)),
    )


def _tasks_here(given: Mapping[str, str]) -> str:
    """How many tasks this node has: Slurm writes 2(x3),1 for three nodes with two and one with one."""
    counts: list[str] = []
    for part in filter(None, given.get('SLURM_STEP_TASKS_PER_NODE', given.get('SLURM_TASKS_PER_NODE', '')).split(',')):
        number, _, times = part.partition('(x')
        counts += [number] * int(times.rstrip(')') or 1)
    node = int(given.get('SLURM_NODEID', 0))
    return counts[node] if node < len(counts) else ''


def _first_host(nodes: str) -> str:
    """The first name in a list of nodes as Slurm writes it, such as gpu[07-09,12],login."""
    if shutil.which('scontrol'):
        told = subprocess.run(
            ['scontrol', 'show', 'hostname', nodes], capture_output=True, text=True, encoding='utf-8', check=False
        )
        if told.returncode == 0 and told.stdout.split():
            return told.stdout.split()[0]
    return re.sub(r'\[(\w+)[^]]*\]', r'\1', re.split(r',(?![^[]*\])', nodes)[0])


def _port(given: Mapping[str, str]) -> int:
    job, step = (int(given.get(name) or 0) for name in ('SLURM_JOB_ID', 'SLURM_STEP_ID'))
    return _FIRST_PORT + (job * 7 + step) % _PORTS
