"""What rules a resumed run: the schedule and optimizer settings of the config, or those of the checkpoint."""

import logging
import os.path as osp
from typing import Any, Literal

from mmengine.hooks import EMAHook, Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...errors import InputError, listed
from ...weights.stored_config import stored_config
from ..resume_schedule import Progress, Settings
from .paramwise_hook import named_wrappers, schedulers_of


@HOOKS.register_module()
class ResumeScheduleHook(Hook):
    """Let the config rule a resumed run where its schedule or optimizer settings differ from those of the checkpoint.

    mmengine would restore the schedulers and the settings of the optimizer with their state, so that a longer schedule or another
    learning rate had no effect. Here the rates are those that a run of the config has after as many iterations; momentum is kept.
    Where nothing differs, the run goes on as if it had not been interrupted. `tools/train.py --resume` adds this hook.

    Args:
        rule: 'config', or 'checkpoint' for mmengine's way. What differs is logged in both cases.

    Raises:
        InputError: the state of the optimizer does not fit that of the config; schedulers that do not fit, by the rule
            'checkpoint'.
    """

    priority = 'HIGH'  # after LoadWeightsHook, which refuses a file without training state

    def __init__(self, rule: Literal['config', 'checkpoint'] = 'config'):
        self.rule = rule

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if not runner._resume or not isinstance(runner.optim_wrapper, OptimWrapper) or 'optimizer' not in checkpoint:
            return
        name = osp.basename(str(runner._load_from))
        way_out = f'or start from its weights: --cfg-options load_from={runner._load_from}, without --resume'
        progress = self._progress(runner, checkpoint['meta'])
        schedules: dict[str, list[dict]] = {}
        found: list[str] = []
        for key, wrapper in named_wrappers(runner.optim_wrapper):
            settings = Settings(wrapper, schedulers_of(runner, key))
            state = _part(checkpoint['optimizer'], key, f'{name}: no state of the optimizer {key!r}; {way_out}')
            settings.check_same_groups(state, f'{name}: {way_out}')
            stored = (
                (checkpoint.get('param_schedulers') or {key: []}) if key else checkpoint.get('param_schedulers') or []
            )
            stored = _part(stored, key, f'{name}: no schedulers of the optimizer {key!r}; {way_out}')
            changes = settings.differences(state, stored)
            if changes and settings.leads_to(state, stored, progress):
                changes = []
            found += [f'{key}.{change}' if key else change for change in changes]
            if changes and self.rule == 'checkpoint' and not settings.same_kinds(stored):
                raise InputError(
                    f'--resume-schedule checkpoint: the schedulers of {name} are others than those of the config '
                    f'({listed(changes)}): set param_scheduler as it was, or let the config rule'
                )
            schedules[key] = settings.put_into(state, progress) if changes and self.rule == 'config' else stored
        if found:
            checkpoint['param_schedulers'] = schedules.get('', schedules)
            _log_rule(name, found, self.rule, runner, progress)
        _log_batch_size(runner, checkpoint['meta'], name)
        _take_training_weights(runner, checkpoint, name)

    def before_train(self, runner: Runner) -> None:
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        done, whole = (runner.epoch, runner.max_epochs) if by_epoch else (runner.iter, runner.max_iters)
        if done >= whole:
            unit, setting = ('epochs', 'max_epochs') if by_epoch else ('iterations', 'max_iters')
            print_log(
                f'this run is finished: {done} {unit} are done and train_cfg.{setting} is {whole}, so nothing is trained; to train '
                f'longer, set a larger train_cfg.{setting}, and the end of param_scheduler with it',
                'current',
                logging.WARNING,
            )

    def _progress(self, runner: Runner, meta: dict) -> Progress:
        """How far the checkpoint is, in iterations of this run.

        An epoch has another number of iterations with another batch or other processes. The counter is then set to what this run
        would have at the end of that epoch, so that the schedule ends with the last epoch.
        """
        iterations, epochs = meta['iter'], meta['epoch']
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return Progress(iterations, epochs, 0)
        length = len(runner.train_dataloader)
        whole_epochs = epochs > 0 and iterations % epochs == 0 and iterations // length != epochs
        if self.rule == 'config' and whole_epochs:
            print_log(
                f'an epoch has {length} iterations, and had {iterations // epochs} before: after {epochs} epochs, iterations are '
                f'counted from {epochs * length}',
                'current',
                logging.WARNING,
            )
            iterations = meta['iter'] = epochs * length
        return Progress(iterations, epochs, length)


def _part(states: Any, key: str, message: str) -> Any:
    """The state of one optimizer, or of one of several."""
    if not key:
        return states
    if not isinstance(states, dict) or key not in states:
        raise InputError(message)
    return states[key]


def _log_rule(name: str, found: list[str], rule: str, runner: Runner, progress: Progress) -> None:
    way = (
        f'the config rules from iteration {progress.iterations + 1} on (--resume-schedule checkpoint keeps the old settings)'
        if rule == 'config'
        else 'the checkpoint rules, as --resume-schedule says'
    )
    print_log(f'config and {name} differ in {listed(found)}: {way}', 'current', logging.WARNING)
    plateau = [
        type(scheduler).__name__
        for key, _ in named_wrappers(runner.optim_wrapper)
        for scheduler in schedulers_of(runner, key)
        if getattr(scheduler, 'need_val_args', False)
    ]
    if plateau and rule == 'config':
        print_log(f'{plateau[0]} follows the scores of the run and starts anew', 'current', logging.WARNING)


def _log_batch_size(runner: Runner, meta: dict, name: str) -> None:
    config = stored_config(meta)
    before = (config.get('train_dataloader') or {}).get('batch_size') if config else None
    now = runner.train_dataloader.batch_size
    if before and now and before != now:
        print_log(f'train_dataloader.batch_size is {now}, and was {before} until {name}', 'current', logging.WARNING)


def _take_training_weights(runner: Runner, checkpoint: dict, name: str) -> None:
    """Go on from the weights that were trained where the run was averaged and is no more: `EMAHook` stores the average as the model's.

    The state of the optimizer belongs to the trained weights.
    """
    averaged = checkpoint.get('ema_state_dict')
    if averaged and not any(isinstance(hook, EMAHook) for hook in runner.hooks):
        trained = {key.removeprefix('module.'): value for key, value in averaged.items() if key.startswith('module.')}
        checkpoint['state_dict'].update(trained)
        print_log(
            f'{name} was trained with EMAHook, which the config has not: the run goes on from the trained weights, not from their '
            'average',
            'current',
            logging.WARNING,
        )
