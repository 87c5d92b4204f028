"""Runs scripts in processes that do not import torch and mmseg again: they are forked from one that has them.

The imports of a tool take longer than most of what the tests ask of it. What a tool prints while it imports, and whether it
starts at all, is tested with processes of the usual kind (tests/test_quiet.py, tests/package/test_wheel.py).
"""

import atexit
import gc
import multiprocessing
import os
import runpy
import socket
import sys
import tempfile
from multiprocessing.connection import wait
from pathlib import Path

from quick_runs import FORMATTED, make_runs_quick

_IMPORTED = ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.evaluation', 'repvgg_seg', 'repvgg_seg.cli']
# What a run imports when it comes to it: for determinism, for pictures, for the description of the environment.
_IMPORTED += ['torch._inductor', 'matplotlib.figure', 'matplotlib.backends.backend_agg', 'torch.utils.cpp_extension']


def run_script(path, *args, cwd):
    """Run a Python file as `python PATH ARGS` does, with one thread; returns (status, stdout, stderr)."""
    (done,) = run_scripts(path, *args, cwd=cwd)
    return done


def run_scripts(path, *args, cwd, variables=({},), timeout=None):
    """Run a Python file in several processes at a time, each with environment variables of its own.

    Returns (status, stdout, stderr) of each. Those that still run `timeout` seconds after the first has ended are killed.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(_IMPORTED)
    with tempfile.TemporaryDirectory() as folder:
        outputs = [[str(Path(folder, f'{name}{i}')) for name in ('stdout', 'stderr')] for i in range(len(variables))]
        processes = []
        for own, output in zip(variables, outputs, strict=True):
            env = dict(os.environ, OMP_NUM_THREADS='1', **own)
            processes.append(context.Process(target=_run, args=(str(path), args, str(cwd), env, output, FORMATTED)))
            processes[-1].start()
        if timeout is not None:
            wait([process.sentinel for process in processes])
        for process in processes:
            process.join(timeout)
            if process.is_alive():
                process.kill()
                process.join()
        texts = [[Path(output).read_text(errors='replace') for output in pair] for pair in outputs]
    return [(process.exitcode, *pair) for process, pair in zip(processes, texts, strict=True)]


def ranks(number):
    """What torchrun tells each of several processes on one machine."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        shared = dict(WORLD_SIZE=str(number), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(free.getsockname()[1]))
    shared |= dict(CUDA_VISIBLE_DEVICES='')
    return [dict(shared, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in range(number)]


def _run(path, args, cwd, env, outputs, formatted=()):
    gc.freeze()  # a data set of mmengine collects garbage, for which there is no need to look at all that was imported
    make_runs_quick(formatted)
    for descriptor, output in zip((1, 2), outputs, strict=True):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = [path, *args]
    sys.path[0] = os.path.dirname(path)
    try:
        runpy.run_path(path, run_name='__main__')
    finally:
        atexit._run_exitfuncs()  # a forked process would leave them out
