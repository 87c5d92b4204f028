"""Runs cases in a child process that is watched: none may crash, hang, write elsewhere or end without a message."""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Protocol

from ..errors import InputError, one_line
from .checkpoints import Checkpoints
from .configs import Configs
from .labels import Labels

TARGETS: dict[str, Callable[[Path], Any]] = dict(checkpoint=Checkpoints, label=Labels, config=Configs)
READ, REFUSED = 'read', 'refused in one line'  # the two ways in which a case may end
_SECONDS = 30.0  # that a case may take
_MEMORY = 1 << 30  # bytes that it may take beyond what earlier ones took
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_RUN = ('subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'os.fork', 'socket.connect')
_CHANGE = ('os.mkdir', 'os.rename', 'os.link', 'os.symlink', 'os.truncate')


class Target(Protocol):
    """What is fuzzed: makes files in a folder, then damaged ones, and reads these."""

    def make(self, random: Random, files: list[Path], folder: Path) -> dict[str, Any]: ...

    def read(self, **case: Any) -> None: ...


@dataclass
class Result:
    """What came of a number of cases.

    Attributes:
        ends: how many of them ended in which way.
        findings: (number of the case, what was wrong) of those that ended in a way in which none may.
        slowest: seconds of the slowest case.
    """

    ends: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def cases(self) -> int:
        """The number of cases."""
        return sum(self.ends.values()) + len(self.findings)


def fuzz(name: str, seed: int, seconds: float, files: list[Path], most: int | None = None) -> Result:
    """Run cases until the time is over.

    Args:
        name: of a target.
        seed: of all cases; with the number of a case it says all about it.
        seconds: after which no further case begins.
        files: damaged beside those that the target makes itself.
        most: cases.
    """
    result = Result()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        number = 0
        while time.monotonic() < end and (most is None or number < most):
            with _child(name, seed, files, Path(folder)) as (connection, process):  # a new one after a crash
                while time.monotonic() < end and (most is None or number < most):
                    start = time.monotonic()
                    said = _answer(connection, process, number)
                    result.slowest = max(result.slowest, time.monotonic() - start)
                    if said in (READ, REFUSED):
                        result.ends[said] += 1
                    else:
                        result.findings.append((number, said))
                    number += 1
                    if not process.is_alive():
                        break
    return result


def run_case(name: str, seed: int, number: int, files: list[Path], folder: Path) -> str:
    """Run one case in this process, and return how it ended."""
    target, files = prepare(name, files, folder)
    return _run_case(target, name, seed, number, files, folder)


def prepare(name: str, files: list[Path], folder: Path) -> tuple[Target, list[Path]]:
    """The target of a name, and the files that it damages."""
    seeds = folder / 'seeds'
    seeds.mkdir(exist_ok=True)
    target: Target = TARGETS[name](seeds)
    return target, [*sorted(path for path in seeds.rglob('*') if path.is_file()), *files]


class _child:
    """A context in which a child process waits for the numbers of cases."""

    def __init__(self, name: str, seed: int, files: list[Path], folder: Path) -> None:
        self._arguments = (name, seed, files)
        self._folder = folder

    def __enter__(self) -> tuple[Connection, Any]:
        context = multiprocessing.get_context('fork')
        self._connection, other = context.Pipe()
        scratch = tempfile.mkdtemp(dir=self._folder)
        self._process = context.Process(target=_serve, args=(other, *self._arguments, Path(scratch)), daemon=True)
        self._process.start()
        other.close()
        self._connection.recv()  # it is ready
        return self._connection, self._process

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()


def _answer(connection: Connection, process: Any, number: int) -> str:
    """How a case ended; the child is dead after a hang or a crash."""
    connection.send(number)
    if not connection.poll(_SECONDS):
        process.kill()
        process.join()
        return f'hangs: no end after {_SECONDS:.0f} s'
    try:
        return str(connection.recv())
    except EOFError:
        process.join()
        return f'the process died with exit status {process.exitcode}'


def _serve(connection: Connection, name: str, seed: int, files: list[Path], folder: Path) -> None:
    """Run the cases whose numbers arrive; in a process of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    os.environ['TMPDIR'] = tempfile.tempdir = str(folder)
    os.chdir(folder)
    sys.dont_write_bytecode = True
    target, files = prepare(name, files, folder)
    faults = _watch(folder)
    connection.send('ready')
    while True:
        try:
            number = connection.recv()
        except EOFError:
            os._exit(0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        end = _run_case(target, name, seed, number, files, folder)
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) - before
        if taken > _MEMORY:
            end = f'took {taken >> 20} MiB of memory'
        if faults:
            end = f'{"; ".join(faults)} (ended: {end})'
            faults.clear()
        connection.send(end)


def _run_case(target: Target, name: str, seed: int, number: int, files: list[Path], folder: Path) -> str:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        case = target.make(Random(f'{name} {seed} {number}'), files, Path(place))
        try:
            target.read(**case)
        except InputError as error:
            return REFUSED if one_line(error) else 'an empty message'
        except BaseException as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            return f'{type(error).__name__}: {error} ({at.filename}:{at.lineno}, in {at.name})'
    return READ


def _watch(folder: Path) -> list[str]:
    """A list that fills with what this process writes outside a folder, or runs, from now on."""
    faults: list[str] = []
    inside = f'{folder}{os.sep}'

    def hook(event: str, arguments: tuple) -> None:
        if event in _RUN:
            faults.append(f'{event} {arguments[:1]}')
        elif event == 'open' and isinstance(arguments[2], int) and arguments[2] & _WRITES or event in _CHANGE:
            for path in _paths(arguments[:2] if event in ('os.rename', 'os.link') else arguments[:1]):
                if not path.startswith(inside) and path not in (os.devnull, str(folder)):
                    faults.append(f'{event} writes {path}')

    sys.addaudithook(hook)
    return faults


def _paths(arguments: tuple) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, (str, bytes, os.PathLike)):
            yield os.path.abspath(os.fsdecode(argument))
