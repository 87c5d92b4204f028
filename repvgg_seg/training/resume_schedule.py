"""Schedule and optimizer settings of a resumed run: those of the config, compared with those of the checkpoint."""

import copy
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from mmengine.optim import OptimWrapper, _ParamScheduler

from ..errors import InputError

# What changes in the state of a scheduler while it is stepped, or follows from the groups of the optimizer.
_COURSE = {'last_step', '_global_step', '_last_value', 'base_values', 'best', 'num_bad_epochs', 'cooldown_counter'}
# What mmengine derives from `begin` and `end` where the config does not give it.
_DERIVED = ('total_iters', 'total_steps', 'T_max', '_schedule_phases')


@dataclass(frozen=True)
class Progress:
    """How far a run has come: iterations, epochs, and the iterations of an epoch (0 where epochs are not counted)."""

    iterations: int
    epochs: int
    epoch_length: int


class Settings:
    """The parameter groups of an optimizer and its schedulers as the config makes them, before a checkpoint is loaded.

    Args:
        wrapper: the built optimizer wrapper.
        schedulers: its built schedulers, none of them stepped.
    """

    def __init__(self, wrapper: OptimWrapper, schedulers: Sequence[_ParamScheduler]):
        self._groups = [_without_parameters(group) for group in wrapper.param_groups]
        self._sizes = [len(group['params']) for group in wrapper.optimizer.param_groups]
        self._kind = type(wrapper.optimizer).__name__
        self._schedulers = list(schedulers)

    def check_same_groups(self, stored: dict, way_out: str) -> None:
        """Refuse the state of an optimizer that cannot be loaded.

        Args:
            stored: the state.
            way_out: what can be done, for the message.

        Raises:
            InputError: another kind of optimizer, or other groups of parameters.
        """
        groups = stored['param_groups']
        missing = {key for key, value in self._groups[0].items() if _is_number(value)} - set(groups[0])
        missing = {key for key in missing if not key.startswith(('initial_', 'max_', 'min_', 'lr_', 'decay_'))}
        if missing:
            raise InputError(
                f'the checkpoint is of another optimizer than {self._kind}: it has no {", ".join(sorted(missing))}; {way_out}'
            )
        if [len(group['params']) for group in groups] != self._sizes:
            raise InputError(
                f'the optimizer of the checkpoint has {sum(len(group["params"]) for group in groups)} parameters in '
                f'{len(groups)} groups, that of the config {sum(self._sizes)} in {len(self._sizes)} (paramwise_cfg, constructor '
                f'or frozen parts have changed): set them as they were; {way_out}'
            )

    def differences(self, stored: dict, schedules: Sequence[dict]) -> list[str]:
        """What the config sets otherwise than the checkpoint, as 'name old -> new'; learning rates of the start are compared.

        Args:
            stored: the state of the optimizer.
            schedules: the states of its schedulers.
        """
        scheduled = {scheduler.param_name for scheduler in self._schedulers}
        if any(getattr(scheduler, 'use_betas', False) for scheduler in self._schedulers):
            scheduled.add('betas')
        found: dict[str, str] = {}
        for new, old in zip(self._groups, _all_groups(stored), strict=False):
            for key in new.keys() & old.keys() - scheduled - {'params'}:
                if not _equal(new[key], old[key]):
                    found.setdefault(f'optimizer.{key.removeprefix("initial_")}', _change(old[key], new[key]))
        if len(schedules) != len(self._schedulers):
            found['number of schedulers'] = _change(len(schedules), len(self._schedulers))
            schedules = []
        for i, (scheduler, old) in enumerate(zip(self._schedulers, schedules, strict=False)):
            found |= _differences_of_scheduler(f'param_scheduler.{i}', scheduler, old)
        return [f'{name} {change}' for name, change in found.items()]

    def same_kinds(self, schedules: Sequence[dict]) -> bool:
        """Whether the states of schedulers can be loaded: as many, with the same attributes."""
        return [set(scheduler.state_dict()) for scheduler in self._schedulers] == [set(state) for state in schedules]

    def after(self, progress: Progress) -> tuple[list[dict], list[dict]]:
        """The groups, without parameters, and the states of the schedulers that a run of this config has after some training.

        Most schedulers compute a rate from the one before, so they are stepped as `ParamSchedulerHook` steps them.
        """
        groups = copy.deepcopy(self._groups)
        schedulers = [copy.copy(scheduler) for scheduler in self._schedulers]
        for scheduler in schedulers:
            scheduler.optimizer = _standin(groups)
        epochs = 0
        for i in range(1, progress.iterations + 1):
            _step(schedulers, by_epoch=False)
            if epochs < progress.epochs and progress.epoch_length and i % progress.epoch_length == 0:
                _step(schedulers, by_epoch=True)
                epochs += 1
        for _ in range(epochs, progress.epochs):
            _step(schedulers, by_epoch=True)
        return groups, [scheduler.state_dict() for scheduler in schedulers]

    def leads_to(self, stored: dict, schedules: Sequence[dict], progress: Progress) -> bool:
        """Whether a run of this config would be where the checkpoint is, whatever attributes its schedulers change on the way."""
        groups, states = self.after(progress)
        old_groups = [_without_parameters(group) for group in _all_groups(stored)]
        return _equal(groups, old_groups) and _equal(states, list(schedules))

    def put_into(self, stored: dict, progress: Progress) -> list[dict]:
        """Replace the settings in the state of an optimizer, in place, and return the states of the schedulers.

        What the optimizer has learned (momentum) stays.
        """
        groups, schedules = self.after(progress)
        for old, new in zip(_all_groups(stored), groups, strict=False):
            parameters = old['params']
            old.clear()
            old.update(new, params=parameters)
        return schedules


def _all_groups(stored: dict) -> list[dict]:
    """The groups in a state, with the one that mmengine adds to log the rate of the config."""
    extra = stored.get('base_param_settings')
    return [*stored['param_groups'], *([extra] if extra else [])]


def _without_parameters(group: dict) -> dict:
    return {key: copy.copy(value) for key, value in group.items() if key != 'params'}


def _equal(first: object, second: object) -> bool:
    try:
        return bool(first == second)
    except (RuntimeError, ValueError):  # tensors and arrays
        return repr(first) == repr(second)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, tuple)) and not isinstance(value, bool)


def _change(old: object, new: object) -> str:
    return f'{reprlib.repr(old)} -> {reprlib.repr(new)}'


def _differences_of_scheduler(path: str, scheduler: _ParamScheduler, old: dict) -> dict[str, str]:
    new = scheduler.state_dict()
    if set(new) != set(old):
        return {path: f'is of another kind, now {type(scheduler).__name__}'}
    found = {key: _change(old[key], new[key]) for key in new if key not in _COURSE and not _equal(new[key], old[key])}
    if 'begin' in found or 'end' in found:
        found = {key: change for key, change in found.items() if key not in _DERIVED}
    return {f'{path}.{key}': change for key, change in found.items()}


def _standin(groups: list[dict]) -> Any:
    """What a scheduler needs of an optimizer: the groups, and the marks of one that has been stepped."""

    def step() -> None:
        """Never called."""

    step._with_counter = True  # type: ignore[attr-defined]
    return SimpleNamespace(param_groups=groups, step=step, _global_step=0)


def _step(schedulers: Sequence[_ParamScheduler], by_epoch: bool) -> None:
    for scheduler in schedulers:
        if scheduler.by_epoch == by_epoch:
            scheduler.step()
