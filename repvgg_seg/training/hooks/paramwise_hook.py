"""Learning rates of parts of the network (`paramwise_cfg`), held against schedules that know one rate only."""

import logging
from collections.abc import Iterable, Iterator

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OneCycleLR, OptimWrapper, OptimWrapperDict, _ParamScheduler, build_optim_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ...errors import listed, parts_of_names
from ...models.model_wrappers import unwrap_model


@HOOKS.register_module()
class ParamwiseHook(Hook):
    """Keep the learning rate of a parameter group at 0 where the config sets it to 0 (`lr_mult=0`).

    A scheduler with a floor, such as `PolyLR(eta_min=1e-4)`, lifts every group to that floor. The log says what is held and what
    still moves there (BN statistics), and warns of other rates that a schedule lifts or ignores, and of `custom_keys` that match
    no parameter. Where the rate of the whole optimizer is 0, it is left to the schedule.
    """

    priority = 'HIGHEST'  # before RuntimeInfoHook takes the learning rate for the log

    def __init__(self) -> None:
        self._held: list[tuple[str, int]] = []

    def before_run(self, runner: Runner) -> None:
        """Note the rates of the config: a resume replaces the groups of the optimizer by those of the checkpoint."""
        self._held = []
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return  # a test
        for name, wrapper in named_wrappers(runner.optim_wrapper):
            rates = _own_rates(runner, name)
            if any(rates):
                self._held += [(name, i) for i, rate in enumerate(rates) if rate == 0]
            for scheduler in schedulers_of(runner, name):
                _warn_of_other_rates(runner, wrapper, rates, scheduler)
        _warn_of_keys_without_match(runner)

    def before_train(self, runner: Runner) -> None:
        held = {id(parameter) for group in self._groups(runner) for parameter in group['params']}
        if not held:
            return
        model = unwrap_model(runner.model).train()  # as at every iteration: `norm_eval` then shows
        norms = [
            norm
            for norm in model.modules()
            if isinstance(norm, _BatchNorm) and norm.training and norm.track_running_stats
            if any(id(parameter) in held for parameter in norm.parameters())
        ]
        names = _parts(runner, held)
        moving = (
            f'; the statistics of {len(norms)} BN layers there still follow the data: norm_eval=True of the backbone keeps them, '
            'frozen_stages=4 freezes all of a backbone'
        )
        print_log(f'learning rate 0 in {names}: kept at 0 under the schedule{moving if norms else ""}', 'current')

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        for group in self._groups(runner):
            group['lr'] = 0.0

    def _groups(self, runner: Runner) -> Iterator[dict]:
        wrappers = dict(named_wrappers(runner.optim_wrapper)) if self._held else {}
        return (wrappers[name].optimizer.param_groups[i] for name, i in self._held)


def named_wrappers(wrapper: OptimWrapper) -> Iterator[tuple[str, OptimWrapper]]:
    """The wrapper of one optimizer, under the name '', or those of several."""
    if isinstance(wrapper, OptimWrapperDict):
        yield from wrapper.items()
    else:
        yield '', wrapper


def schedulers_of(runner: Runner, name: str) -> list[_ParamScheduler]:
    """The built schedulers of an optimizer."""
    schedulers = runner.param_schedulers or []
    return list(schedulers.get(name, []) if isinstance(schedulers, dict) else schedulers)


def _own_rates(runner: Runner, name: str) -> list[float]:
    """The learning rates that the config gives to the groups of an optimizer, before any scheduler.

    OneCycleLR overwrites all traces of them, so the optimizer is built once more there.
    """
    if any(isinstance(scheduler, OneCycleLR) for scheduler in schedulers_of(runner, name)):
        wrapper = dict(named_wrappers(build_optim_wrapper(runner.model, runner.cfg.optim_wrapper)))[name]
    else:
        wrapper = dict(named_wrappers(runner.optim_wrapper))[name]
    return [float(group.get('initial_lr', group['lr'])) for group in wrapper.optimizer.param_groups]


def _warn_of_other_rates(runner: Runner, wrapper: OptimWrapper, rates: list[float], scheduler: _ParamScheduler) -> None:
    """Warn of groups whose rate, other than 0, is not what the schedule ends up with."""
    if scheduler.param_name != 'lr':
        return
    kind = type(scheduler).__name__
    if isinstance(scheduler, OneCycleLR):
        if len({rate for rate in rates if rate}) > 1 and not isinstance(scheduler.eta_max, (list, tuple)):
            print_log(
                f'{kind} takes its learning rates from eta_max alone, so factors other than 0 have no effect (lr_mult, layer decay)',
                'current',
                logging.WARNING,
            )
        return
    floor = getattr(scheduler, 'eta_min', None) or 0
    low = [group for group, rate in zip(wrapper.optimizer.param_groups, rates, strict=True) if 0 < rate < floor]
    if low:
        parameters = {id(parameter) for group in low for parameter in group['params']}
        print_log(
            f'{kind}: eta_min={floor:g} is above the learning rate of the config in {_parts(runner, parameters)} '
            f'(down to {min(rate for rate in rates if rate):.3g}), which the schedule raises; a smaller eta_min keeps it',
            'current',
            logging.WARNING,
        )


def _warn_of_keys_without_match(runner: Runner) -> None:
    """Warn of `custom_keys` that are part of no parameter's name: mmengine ignores them."""
    keys = ((runner.cfg.get('optim_wrapper') or {}).get('paramwise_cfg') or {}).get('custom_keys') or {}
    names = [name for name, _ in unwrap_model(runner.model).named_parameters()]
    unmatched = [key for key in keys if not any(key in name for name in names)]
    if unmatched:
        print_log(
            f'optim_wrapper.paramwise_cfg.custom_keys: no parameter has {listed(unmatched)} in its name, so the setting has no '
            f'effect; the parts of the model: {listed(parts_of_names(names, 1))}',
            'current',
            logging.WARNING,
        )


def _parts(runner: Runner, parameters: set[int]) -> str:
    """The parts of the model that hold parameters, for a message."""
    named: Iterable[tuple[str, Tensor]] = unwrap_model(runner.model).named_parameters()
    return listed(parts_of_names([name for name, parameter in named if id(parameter) in parameters], 2))
