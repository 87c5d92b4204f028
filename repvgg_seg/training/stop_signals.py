"""SIGTERM, Ctrl-C and their kind: the run saves a checkpoint after the running iteration, and ends."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import EMAHook, Hook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner

from .distributed import end_process
from .hooks.safe_checkpoint_hook import SafeCheckpointHook
from .hooks.switch_to_deploy_hook import SwitchToDeployHook

# What a scheduler, a terminal, or a terminal that is closed sends; 128 and the number is the exit status by the shell's custom.
_NAMES = ('SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1')


class Stopped(BaseException):
    """A signal has ended the run between two iterations."""


@contextlib.contextmanager
def saving_on_signals(runner: Runner) -> Iterator[None]:
    """Save a checkpoint where a signal comes during the training, and end the process with the usual status.

    A second signal ends it at once. A signal that is ignored, as under nohup, stays ignored.
    """
    hook = StopHook()
    runner.register_hook(hook)
    runner.hooks.append(
        runner.hooks.pop(runner.hooks.index(hook))
    )  # behind all others, which have finished the iteration then
    with _handled(hook):
        try:
            yield
        except Stopped:
            hook.save_and_end(runner)
        except Exception:
            # A worker of the data loader may have got the signal, too, so that there are no more batches.
            if hook.received and hook.begun and not hook.in_iteration and get_world_size() == 1:
                hook.save_and_end(runner)
            raise


class StopHook(Hook):
    """Raise `Stopped` after the iteration in which a signal has come, in all processes after the same."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.received = 0
        self.begun = self.in_iteration = False
        self._pid = os.getpid()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        if os.getpid() != self._pid:  # in a worker of the data loader, to which the main process says when to end
            if number != signal.SIGINT:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            return
        again = self.received and (number == self.received or get_world_size() == 1)
        if again or not self.begun:
            end_process(128 + number)
        if not self.received:
            self.received = number
        if hasattr(
            signal, 'SIGCHLD'
        ):  # torch's would raise an error within the iteration, if the signal has ended workers, too
            signal.signal(signal.SIGCHLD, _do_nothing)

    def before_train_iter(self, *args: Any, **kwargs: Any) -> None:
        self.begun = self.in_iteration = True

    def after_train_iter(self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        last_of_epoch = by_epoch and runner.iter + 1 == (runner.epoch + 1) * len(runner.train_dataloader)
        self._done = (runner.epoch, runner.iter + 1)
        self.in_iteration = False
        if not last_of_epoch:
            self._stop_where_all_do()

    def after_train_epoch(self, runner: Runner) -> None:
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._done = (runner.epoch + 1, runner.iter)
            self._stop_where_all_do()

    def after_val_iter(self, *args: Any, **kwargs: Any) -> None:
        if self.begun and get_world_size() == 1:  # processes may have different numbers of images
            self._stop_where_all_do()

    def save_and_end(self, runner: Runner) -> NoReturn:
        """Save what the last whole iteration has left, and end the process."""
        for hook in runner.hooks:  # a validation may have put another model in the place of the one that is trained
            if isinstance(hook, (EMAHook, SwitchToDeployHook)) and not runner.model.training:
                hook.after_val_epoch(runner, {})
        hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
        saved = [hook.save_now(runner, *self._done) for hook in hooks]
        name = signal.Signals(self.received).name
        what = f'{saved[0]} is saved, and --resume goes on from it' if saved else 'the config saves no checkpoints'
        print_log(f'{name} after iteration {self._done[1]}: {what}', 'current', logging.WARNING)
        if torch.distributed.is_initialized():
            end_process(128 + self.received)
        sys.exit(128 + self.received)

    def _stop_where_all_do(self) -> None:
        if get_world_size() > 1:
            flag = torch.tensor([self.received], device=get_device())
            all_reduce(flag, op='max')
            self.received = int(flag.item())
        if self.received:
            raise Stopped


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """The handler of what does not matter any more."""


@contextlib.contextmanager
def _handled(hook: StopHook) -> Iterator[None]:
    """Let the hook handle the signals; those that somebody else handles, or ignores, stay with them."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, hook.handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
