"""Runs scripts in processes that do not import torch and mmseg again: they are forked from one that has them.

The imports of a tool take longer than most of what the tests ask of it. What a tool prints while it imports, and whether it
starts at all, is tested with processes of the usual kind (tests/test_quiet.py, tests/package/test_wheel.py).
"""

import atexit
import multiprocessing
import os
import runpy
import sys
import tempfile
from pathlib import Path

_IMPORTED = ['mmseg.apis', 'mmseg.models', 'mmseg.datasets', 'mmseg.evaluation', 'repvgg_seg', 'repvgg_seg.cli']


def run_script(path, *args, cwd):
    """Run a Python file as `python PATH ARGS` does, with one thread; returns (status, stdout, stderr)."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(_IMPORTED)
    env = dict(os.environ, OMP_NUM_THREADS='1')
    with tempfile.TemporaryDirectory() as folder:
        outputs = [str(Path(folder, name)) for name in ('stdout', 'stderr')]
        process = context.Process(target=_run, args=(str(path), args, str(cwd), env, outputs))
        process.start()
        process.join()
        stdout, stderr = (Path(output).read_text(errors='replace') for output in outputs)
    return process.exitcode, stdout, stderr


def _run(path, args, cwd, env, outputs):
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
