"""Training that is killed at random moments, again and again, compared with training that is left alone."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError
from ..invocation import command_line, config_name
from ..synthetic.dataset import generate
from ..training.config import load_config
from ..weights.read import read_checkpoint

CHECKPOINT_INTERVAL, VALIDATION_INTERVAL = 2, 8
_ITERATION = re.compile(r'Iter\(train\) \[\s*(\d+)/')
_RESUMED = re.compile(r'resumed epoch: \d+, iter: (\d+)')
_CHANNELS = dict(
    decode_head=(128, 16), auxiliary_head=(64, 8)
)  # of the maps of a RepVGG with b = 0.25, and of the heads
_CROP = 64
_PATIENCE = 300  # seconds without a line of output after which a run is called hanging


@dataclass
class Kill:
    """One kill.

    Attributes:
        aim: 'write' for the moment in which a checkpoint is written, 'start' for any before the first iteration, 'run' for any after it.
        resumed_from: iterations that were done where this attempt began.
        reached: the last iteration whose line was seen.
        left_a_part: whether a checkpoint was being written, of which a part was left.
        seconds: from the start of the process to the kill.
    """

    aim: str
    resumed_from: int
    reached: int
    left_a_part: bool
    seconds: float


def write_config(folder: Path, iterations: int, interval: int | None = None, batch_size: int = 2) -> Path:
    """Write synthetic scenes and the config of a run over them: random crops, flips and dropout, a tiny network, two workers, SGD with
    momentum.

    Args:
        folder: where to.
        iterations: of the run.
        interval: iterations between two checkpoints and between two validations; 2 and 8 by default.
        batch_size: crops of an iteration.
    """
    generate(folder / 'scenes', dict(train=8, val=3), size=(_CROP, 2 * _CROP), seed=0)
    options: dict[str, Any] = {
        'model.backbone.arch': dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, _delete_=True),
        'model.data_preprocessor.size': (_CROP, _CROP),
        'train_dataloader.batch_size': batch_size,
        'train_cfg.max_iters': iterations,
        'train_cfg.val_interval': interval or VALIDATION_INTERVAL,
        'param_scheduler.0.end': iterations,
        'default_hooks.logger.interval': 1,
        'default_hooks.checkpoint.interval': interval or CHECKPOINT_INTERVAL,
        'randomness': dict(seed=0, deterministic=True),
    }
    for head, (wide, narrow) in _CHANNELS.items():
        options |= {f'model.{head}.in_channels': wide, f'model.{head}.channels': narrow}
    for loader, resize in (('train', 3), ('val', 1), ('test', 1)):
        options |= {
            f'{loader}_dataloader.dataset.data_root': str((folder / 'scenes').resolve()),
            f'{loader}_dataloader.num_workers': 2 if loader == 'train' else 0,
            f'{loader}_dataloader.persistent_workers': loader == 'train',
            f'{loader}_dataloader.dataset.pipeline.{resize}.scale': (2 * _CROP, _CROP),
        }
    options['train_dataloader.dataset.pipeline.4.crop_size'] = (_CROP, _CROP)
    cfg = load_config(config_name('pspnet_repvgg_a0_synthetic'))
    cfg.merge_from_dict(options)
    path = folder / 'config.py'
    cfg.dump(path)
    return path


def kill_and_resume(
    config: Path, work_dir: Path, kills: int, processes: int, generator: random.Random
) -> Iterator[Kill]:
    """Start a run, kill it, and start it again with `--resume`, until it has been killed often enough; then let it end.

    Of several processes one is killed, drawn at random.

    Args:
        config: what `write_config` has written.
        work_dir: of the run.
        kills: how often.
        processes: of each run.
        generator: draws the moments.

    Raises:
        InputError: a run failed, hung, or ended before it was killed.
    """
    for number in range(kills):
        aim = ('write', 'run', 'start')[min(number % 5, 4) // 2]  # two, two and one of five
        with _Run(config, work_dir, processes) as run:
            yield run.kill(aim, generator)
    with _Run(config, work_dir, processes) as run:
        run.wait()


def train_undisturbed(config: Path, work_dir: Path, processes: int = 1, *options: str) -> list[float]:
    """Train; returns the seconds from the start of the process to the first and to the last line of an iteration.

    Raises:
        InputError: the run failed.
    """
    with _Run(config, work_dir, processes, options) as run:
        run.wait()
    return run.times


def differences(first: Path, second: Path) -> dict[str, Any]:
    """Compare two checkpoints bit for bit.

    Returns:
        The number of tensors in the state dict and in the optimizer, and of those that differ; whether the schedules and the best scores
        are equal.
    """
    one, other = (read_checkpoint(path) for path in (first, second))
    result: dict[str, Any] = {}
    for part in ('state_dict', 'optimizer'):
        left, right = (dict(_tensors(checkpoint[part])) for checkpoint in (one, other))
        names = left.keys() | right.keys()
        same = [name for name in left.keys() & right.keys() if torch.equal(left[name], right[name])]
        result[part] = dict(tensors=len(names), differ=len(names) - len(same))
    result['same_schedule'] = one['param_schedulers'] == other['param_schedulers']
    scores = [checkpoint['message_hub']['runtime_info'].get('best_score') for checkpoint in (one, other)]
    result.update(best_scores=[float(score) for score in scores], same_best_score=bool(scores[0] == scores[1]))
    return result


def is_equal(result: dict[str, Any]) -> bool:
    """Whether `differences` has found none."""
    equal = not any(result[part]['differ'] for part in ('state_dict', 'optimizer'))
    return equal and result['same_schedule'] and result['same_best_score']


def as_rows(kills: Sequence[Kill]) -> list[dict[str, Any]]:
    """The kills as a record holds them."""
    return [asdict(kill) for kill in kills]


class _Run:
    """A process of tools/train.py, or torchrun with several, whose output is read as it comes."""

    def __init__(self, config: Path, work_dir: Path, processes: int = 1, options: Sequence[str] = ()):
        train = [*command_line('train')[0], str(config), '--work-dir', str(work_dir), '--resume']
        if processes > 1:
            torchrun = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--local-addr=127.0.0.1']
            module = ['-m'] if train[1] == '-m' else []
            train = [
                *torchrun,
                f'--nproc-per-node={processes}',
                *module,
                *train[1 + len(module) :],
                '--launcher',
                'pytorch',
            ]
        self.work_dir, self.processes = work_dir, processes
        self.resumed_from = self.reached = 0
        self.times: list[float] = []
        self._lines: list[str] = []
        self._parts_before = set(self._parts())
        self._changed = threading.Condition()
        self._start = time.monotonic()
        self._process = subprocess.Popen(
            [*train, *(['--cfg-options', *options] if options else [])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, OMP_NUM_THREADS='1'), start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> '_Run':
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=10)

    def kill(self, aim: str, generator: random.Random) -> Kill:
        """Kill the process, or one of several, at a moment of a kind."""
        if aim == 'start':
            time.sleep(generator.uniform(0, 6))
        else:
            self._wait_for(generator.randint(1, 4))
            if aim == 'write':
                self._wait_for_a_write()
                time.sleep(generator.uniform(0, 0.01))
            else:
                time.sleep(generator.uniform(0, 0.3))
        if self._process.poll() is not None:
            raise InputError(f'the run ended before it was killed: {self._said()}')
        os.kill(generator.choice(self._workers()), signal.SIGKILL)
        seconds = time.monotonic() - self._start
        part = bool(set(self._parts()) - self._parts_before)
        with _at_most(_PATIENCE, 'the other processes of a run whose one was killed did not end'):
            self._process.wait(_PATIENCE)
        self._reader.join(timeout=10)
        return Kill(aim, self.resumed_from, self.reached, part, seconds)

    def wait(self) -> None:
        """Wait for the end of the run."""
        while self._process.poll() is None:
            time.sleep(0.1)
            if self.times and time.monotonic() - self._start - self.times[-1] > _PATIENCE:
                raise InputError(f'a run hangs: {self._said()}')
        self._reader.join(timeout=10)
        if self._process.returncode:
            raise InputError(f'a run failed with exit status {self._process.returncode}: {self._said()}')

    def _read(self) -> None:
        for line in self._process.stdout or ():
            text = line.decode('utf-8', errors='replace')
            with self._changed:
                self._lines.append(text)
                if match := _RESUMED.search(text):
                    self.resumed_from = int(match[1])
                if match := _ITERATION.search(text):
                    self.reached = int(match[1])
                    self.times.append(time.monotonic() - self._start)
                self._changed.notify_all()

    def _wait_for(self, iterations: int) -> None:
        with self._changed:
            done = self._changed.wait_for(
                lambda: len(self.times) >= iterations or self._process.poll() is not None, timeout=_PATIENCE
            )
        if not done:
            raise InputError(f'a run hangs: {self._said()}')

    def _wait_for_a_write(self) -> None:
        end = time.monotonic() + _PATIENCE
        while not self._parts() and self._process.poll() is None and time.monotonic() < end:
            time.sleep(0.0002)

    def _parts(self) -> list[Path]:
        """Checkpoints that are being written, or that were when the process was killed."""
        return list(self.work_dir.glob('.*.pth.*.pth'))

    def _workers(self) -> list[int]:
        """The process of the run, or those that torchrun has started."""
        if self.processes == 1:
            return [self._process.pid]
        children = (
            Path(f'/proc/{self._process.pid}/task/{self._process.pid}/children').read_text(encoding='utf-8').split()
        )
        return [int(child) for child in children] or [self._process.pid]

    def _said(self) -> str:
        return ' | '.join(line.strip() for line in self._lines[-3:]) or 'it said nothing'


def _tensors(value: Any, name: str = '') -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors in nested containers, by the path to each."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, (dict, list, tuple)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _tensors(item, f'{name}.{key}')


@contextmanager
def _at_most(seconds: float, message: str) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired:
        raise InputError(f'{message} within {seconds:.0f} s') from None
