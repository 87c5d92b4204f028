"""Signals during a training: what is saved, and how the process ends. Signals are sent to this process itself."""

import os
import signal
import time
from types import SimpleNamespace

import pytest
from mmengine.runner import EpochBasedTrainLoop

from repvgg_seg.training.hooks import SafeCheckpointHook
from repvgg_seg.training.stop_signals import StopHook, saving_on_signals


class Checkpoints(SafeCheckpointHook):
    """Notes what is saved out of turn."""

    def __init__(self):
        super().__init__()
        self.saved = []

    def save_now(self, runner, epoch, iteration):
        self.saved.append((epoch, iteration))
        return f'iter_{iteration}.pth'


class Run:
    """A training loop without a training: five iterations, and a signal in or after one of them."""

    train_loop = None
    model = SimpleNamespace(training=True)

    def __init__(self, by_epoch=False):
        self.hooks, self.epoch, self.iter = [Checkpoints()], 0, 0
        self.train_dataloader = [None] * 3
        if by_epoch:
            self.train_loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)

    def register_hook(self, hook):
        self.hooks.insert(0, hook)

    def train(self, inside, then=None):
        stop = self.hooks[-1]
        assert isinstance(stop, StopHook), 'it comes last'
        for iteration in range(5):
            self.iter = iteration
            stop.before_train_iter()
            inside(iteration)
            stop.after_train_iter(self, iteration % 3)
            self.iter += 1
            if self.train_loop and self.iter % 3 == 0:
                stop.after_train_epoch(self)
                self.epoch += 1
            if then:
                then(iteration)


def send(name, at):
    return lambda iteration: os.kill(os.getpid(), getattr(signal, name)) if iteration == at else None


@pytest.fixture(autouse=True)
def _handlers_as_in_a_shell():
    """Under nohup or in the background of a script, signals are ignored from the start."""
    handlers = dict(SIGTERM=signal.SIG_DFL, SIGINT=signal.default_int_handler, SIGHUP=signal.SIG_DFL)
    before = {name: signal.signal(getattr(signal, name), handler) for name, handler in handlers.items()}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize('name, status', [('SIGTERM', 143), ('SIGINT', 130), ('SIGHUP', 129)])
def test_a_signal_saves_after_the_iteration(name, status, logged):
    before = signal.getsignal(getattr(signal, name))
    run = Run()
    with pytest.raises(SystemExit) as end, saving_on_signals(run):
        run.train(send(name, at=1))
    assert end.value.code == status and run.hooks[0].saved == [(0, 2)]
    assert f'{name} after iteration 2: iter_2.pth is saved, and --resume goes on from it' in logged()
    assert signal.getsignal(getattr(signal, name)) == before


@pytest.mark.parametrize('at, saved', [(0, (0, 1)), (2, (1, 3)), (3, (1, 4))])
def test_epochs(at, saved):
    """A signal in the last iteration of an epoch waits for the end of the epoch, after which the schedule has been stepped."""
    run = Run(by_epoch=True)
    with pytest.raises(SystemExit), saving_on_signals(run):
        run.train(send('SIGTERM', at))
    assert run.hooks[0].saved == [saved]


def test_workers_that_are_gone_with_the_signal():
    """The loader raises between two iterations; an error within one says nothing about the weights, and is raised."""

    def lost(iteration):
        if iteration == 1:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0)
            raise RuntimeError('DataLoader worker exited unexpectedly')

    run = Run()
    with pytest.raises(SystemExit) as end, saving_on_signals(run):
        run.hooks[-1]._stop_where_all_do = lambda: None  # the signal comes behind the look at it
        run.train(lambda iteration: None, lost)
    assert end.value.code == 143 and run.hooks[0].saved == [(0, 2)]
    run = Run()
    with pytest.raises(RuntimeError, match='exited unexpectedly'), saving_on_signals(run):
        run.train(lost)
    assert run.hooks[0].saved == []


def test_a_second_signal_and_one_before_the_first_iteration_end_at_once(monkeypatch):
    ended = []

    def end(status):
        ended.append(status)
        raise KeyboardInterrupt

    monkeypatch.setattr('repvgg_seg.training.stop_signals.end_process', end)

    def twice(iteration):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    for inside in (lambda run: run.train(twice), lambda run: send('SIGTERM', 0)(0)):
        run = Run()
        with pytest.raises(KeyboardInterrupt), saving_on_signals(run):
            inside(run)
        assert run.hooks[0].saved == []
    assert ended == [130, 143]


def test_what_is_ignored_or_handled_by_others_stays():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        run = Run()
        with saving_on_signals(run):
            run.train(send('SIGHUP', at=1))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.iter == 5 and run.hooks[0].saved == []
