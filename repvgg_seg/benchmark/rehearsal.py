"""What the rehearsal of a training costs, beside one iteration of the same training."""

from collections.abc import Callable
from itertools import chain, repeat

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..reports.benchmark_table import Row
from ..training.rehearsal import rehearse_training
from ..training.start import build, train
from .subject import Subject


def measure_rehearsal(name: str, cfg: Config, measure: Callable[[list[Subject]], list[Row]]) -> list[Row]:
    """The rows of one iteration and of the rehearsal, with the loaders, the optimizer and the validation of a config.

    An iteration loads a batch, and takes a step of the optimizer. No checkpoint is written.

    Args:
        name: name of the rows.
        cfg: config of a training, prepared as tools/train.py prepares it, without its rehearsal.
        measure: gets the two subjects, and returns their rows.

    Raises:
        InputError: the training cannot start.
    """
    runner = build(cfg)
    hook = _MeasureHook(name, measure)
    runner.register_hook(hook)
    train(runner)
    return hook.rows


class _MeasureHook(Hook):
    """Measures before the first iteration, where the rehearsal has its place, and ends the training there."""

    priority = 'LOWEST'

    def __init__(self, name: str, measure: Callable[[list[Subject]], list[Row]]) -> None:
        self.name, self.measure = name, measure
        self.rows: list[Row] = []

    def before_train(self, runner: Runner) -> None:
        batches = chain.from_iterable(repeat(runner.train_dataloader))

        def iterate() -> None:
            runner.model.train()
            runner.model.train_step(next(batches), runner.optim_wrapper)

        size = runner.train_dataloader.batch_size
        with torch.enable_grad():
            subjects = [
                Subject(self.name, 'iteration', iterate, size),
                Subject(self.name, 'rehearsal', lambda: rehearse_training(runner, fuse=True), size),
            ]
            self.rows = self.measure(subjects)
        runner.train_loop.stop_training = True
