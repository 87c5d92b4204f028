"""Length of the run, and what is set in iterations or epochs beside it: schedulers, validation, checkpoints."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.param_scheduler import (
    CosineAnnealingParamScheduler,
    LinearParamScheduler,
    MultiStepParamScheduler,
    OneCycleParamScheduler,
    PolyParamScheduler,
    ReduceOnPlateauParamScheduler,
)
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from ...errors import InputError

_ANNEALING = (PolyParamScheduler, CosineAnnealingParamScheduler, OneCycleParamScheduler)
_NO_END = 10**9  # mmengine's INF
_NEARLY = 0.02  # of the run; schedules and runs that differ by less are not spoken of


def check_schedule(loop: Any, schedulers: Any) -> None:
    """Compare the schedulers with the length of the run; a difference that may be meant is logged as a warning.

    Args:
        loop: the training loop; one of somebody else's is not judged.
        schedulers: what the Runner built: a list, or a dict of lists for several optimizers.

    Raises:
        InputError: a scheduler by epoch in a loop of iterations, which would step once, after the last.
    """
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    if not by_epoch and not isinstance(loop, IterBasedTrainLoop):
        return
    # mmengine steps a ReduceOnPlateauLR after each validation, in a loop of iterations too, and only where it is by_epoch.
    built = [s for s in _flat(schedulers) if not isinstance(s, ReduceOnPlateauParamScheduler)]
    for scheduler in built:
        if scheduler.by_epoch and not by_epoch:
            raise InputError(
                f'param_scheduler {type(scheduler).__name__} counts epochs (by_epoch=True), and train_cfg counts iterations: '
                'it would step only after the last; set --cfg-options param_scheduler.0.by_epoch=False and its end in iterations'
            )
    for counted_in_epochs in (False, True):
        kind = [scheduler for scheduler in built if scheduler.by_epoch is counted_in_epochs]
        length = loop.max_epochs if counted_in_epochs else loop.max_iters
        _compare_ends(kind, length, 'epoch' if counted_in_epochs else 'iteration')


def _flat(schedulers: Any) -> Iterator[_ParamScheduler]:
    if isinstance(schedulers, _ParamScheduler):
        yield schedulers
    elif isinstance(schedulers, dict):
        for value in schedulers.values():
            yield from _flat(value)
    elif isinstance(schedulers, (list, tuple)):
        for value in schedulers:
            yield from _flat(value)


def _compare_ends(schedulers: list[_ParamScheduler], length: int, unit: str) -> None:
    for scheduler in schedulers:
        name = type(scheduler).__name__
        if isinstance(scheduler, MultiStepParamScheduler):
            late = [step for step in scheduler.milestones if scheduler.begin + step >= length]
            if late:
                _warn(f'param_scheduler {name}: the run has {length} {unit}s and never comes to the milestones {late}')
        if _is_annealing(scheduler) and length * (1 + _NEARLY) < scheduler.end < _NO_END:
            _warn(
                f'param_scheduler {name} ends at {unit} {scheduler.end}, the run after {length}: the learning rate does not '
                f'come to its end; set param_scheduler.N.end={length} for that'
            )
    annealing = [scheduler for scheduler in schedulers if _is_annealing(scheduler)]
    last = max((scheduler.end for scheduler in schedulers), default=0)
    if annealing and last < length * (1 - _NEARLY):
        _warn(
            f'param_scheduler ends at {unit} {last}, the run after {length}: the learning rate stays at its last value '
            f'for the other {length - last}; set param_scheduler.N.end={length} to spread it over the run'
        )


def _is_annealing(scheduler: _ParamScheduler) -> bool:
    falling = isinstance(scheduler, LinearParamScheduler) and scheduler.end_factor < scheduler.start_factor
    return falling or isinstance(scheduler, _ANNEALING)


def check_intervals(loop: Any, hooks: Iterable[Hook], validates: bool) -> None:
    """Compare the intervals of validation and checkpoints with the length of the run; differences are logged as warnings."""
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    if not by_epoch and not isinstance(loop, IterBasedTrainLoop):
        return
    length, unit = (loop.max_epochs, 'epoch') if by_epoch else (loop.max_iters, 'iteration')
    if validates and loop.val_begin > length:
        _warn(f'train_cfg.val_begin is {loop.val_begin}, and the run has {length} {unit}s: it is never validated')
    elif validates and loop.val_interval > length:
        _warn(
            f'train_cfg.val_interval is {loop.val_interval}, and the run has {length} {unit}s: it is validated after the last'
        )
    for hook in hooks:
        if not isinstance(hook, CheckpointHook):
            continue
        if hook.by_epoch and not by_epoch:
            _warn(
                'default_hooks.checkpoint counts epochs (by_epoch=True), and train_cfg counts iterations: one checkpoint is '
                'written, after the last; set default_hooks.checkpoint.by_epoch=False and interval in iterations'
            )
        never = hook.interval <= 0 or (hook.by_epoch == by_epoch and hook.interval > length)
        if never and not hook.save_last and not (validates and hook.save_best):
            _warn(
                f'default_hooks.checkpoint writes no checkpoint: interval is {hook.interval}, the run has {length} {unit}s, '
                'and save_last is False'
            )
        if hook.save_best and not validates:
            _warn(
                f'default_hooks.checkpoint.save_best is {hook.save_best!r}, and the config has no validation: no best is saved'
            )


def _warn(message: str) -> None:
    print_log(message, 'current', logging.WARNING)
