"""One batch of a training, a validation or a test, step by step, on copies of what has state."""

import contextlib
import copy
import logging
import time
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from ...errors import InputError
from ...evaluation.images_too_large import windows_if_too_large
from ...models.block import find_blocks
from ...models.model_wrappers import unwrap_model
from ...models.reparameterize import reparameterize_model
from ..agreement.image_sizes import check_sizes_in_batches
from ..agreement.metric_keys import check_metric_keys
from ..agreement.norm_and_fusing import parts_not_fusible
from .batch import can_be_drawn_from, copied_dataset, draw_batch
from .gradients import check_gradients, check_losses_finite
from .label_values import check_label_values
from .scores import copied_evaluator
from .steps import noted, step
from .undisturbed import undisturbed
from .unused_parameters import expect_unused_parameters


def rehearse_training(runner: Runner, fuse: bool) -> None:
    """One batch through data set, losses and backward pass, and one through validation and metric, on a copy of the model.

    The optimizer takes no step. Afterwards the run is bit for bit what it is without.

    Args:
        runner: a Runner in `before_train`, with weights loaded.
        fuse: whether validations are of the fused form.

    Raises:
        InputError: a step failed; the message names it. The traceback is in the log file.
    """
    start, told, scores, unused = time.monotonic(), [], None, None
    try:
        model = copy.deepcopy(unwrap_model(runner.model))
    except Exception as error:
        print_log(
            f'no rehearsal: the model cannot be copied ({type(error).__name__}: {error})', 'current', logging.WARNING
        )
        return
    with undisturbed():
        if _trains_as_usual(model) and can_be_drawn_from(runner.train_dataloader):
            losses, size = _one_iteration(runner, model)
            unused = check_gradients(model)
            shown = ', '.join(
                f'{name} {value:.4g}' for name, value in losses.items() if 'loss' in name and name != 'loss'
            )
            told.append(f'a batch of {size} through data set, losses ({shown}) and backward pass')
        if runner.val_loop is not None and can_be_drawn_from(runner.val_loop.dataloader):
            model.zero_grad(set_to_none=True)
            if fuse and find_blocks(model) and not parts_not_fusible(model):
                model = reparameterize_model(model, inplace=True)
            scores, size = _one_evaluation(model, runner.val_loop, 'val')
            told.append(f'a validation batch of {size} through model and metric ({", ".join(scores)})')
    if unused is not None:
        expect_unused_parameters(runner, unused)
    if scores is not None:
        check_metric_keys(scores, runner.hooks)
    _log_passed(start, told)


def rehearse_test(runner: Runner) -> None:
    """One batch of a test through loader, the form of the model that is scored, and the metric.

    Args:
        runner: a Runner in `before_test_epoch`, after the model was put into the form that is scored.

    Raises:
        InputError: a step failed; the message names it. The traceback is in the log file.
    """
    start = time.monotonic()
    if not can_be_drawn_from(runner.test_dataloader):
        return
    with undisturbed():
        scores, size = _one_evaluation(runner.model, runner.test_loop, 'test')
    _log_passed(start, [f'a batch of {size} through model and metric ({", ".join(scores) or "no scores"})'])


def _log_passed(start: float, told: list[str]) -> None:
    if told:
        print_log(f'rehearsal passed in {time.monotonic() - start:.1f} s: {"; ".join(told)}', 'current')


def _trains_as_usual(model: nn.Module) -> bool:
    """Whether an iteration is mmengine's: preprocess, losses, backward pass."""
    return isinstance(model, BaseModel) and type(model).train_step is BaseModel.train_step


def _one_iteration(runner: Runner, model: BaseModel) -> tuple[Mapping[str, float], int]:
    """Losses and backward pass of one batch; the names and values of the log, and the size of the batch."""
    wrapper = runner.optim_wrapper
    loader = runner.train_dataloader
    with step('training data'):
        batch, size = draw_batch(loader, copied_dataset(loader.dataset))
    model.train()
    context = wrapper.optim_context(model) if isinstance(wrapper, OptimWrapper) else contextlib.nullcontext()
    with noted(model) as notes, context:
        with step('data preprocessor', notes, model):
            data = model.data_preprocessor(batch, True)
        check_label_values(model, data.get('data_samples') if isinstance(data, dict) else None)
        with step('losses', notes, model):
            losses = model._run_forward(data, mode='loss')
            _wait()
    with step('sum of the losses'):
        total, logged = model.parse_losses(losses)
    if not isinstance(total, Tensor) or not total.requires_grad:
        raise InputError(
            'rehearsal, step "sum of the losses": nothing can be learnt: no entry has "loss" in its name, or everything that the '
            'losses depend on is frozen'
        )
    values = {name: float(value) for name, value in logged.items()}
    check_losses_finite(values, scaled=isinstance(wrapper, AmpOptimWrapper) and wrapper.loss_scaler.is_enabled())
    with step('backward pass'):
        total.backward()
        _wait()
    return values, size


def _one_evaluation(model: nn.Module, loop: Any, stage: str) -> tuple[Mapping[str, Any], int]:
    """The scores of one batch by a copy of the evaluator, and the size of the batch."""
    what = 'validation' if stage == 'val' else 'test'
    loader = loop.dataloader
    with step(f'{what} data'):
        dataset = copied_dataset(loader.dataset)
        check_sizes_in_batches(model, loader, dataset, f'{stage}_dataloader')
        batch, size = draw_batch(loader, dataset)
    model.eval()
    with torch.no_grad(), noted(model) as notes, step(f'{what} batch', notes, model):
        with windows_if_too_large(model), autocast(enabled=getattr(loop, 'fp16', False)):
            outputs = _predict(model, batch, stage)
        _wait()
    with step(f'{what} metric'), copied_evaluator(loop.evaluator) as evaluator:
        evaluator.process(data_samples=outputs, data_batch=batch)
        return _evaluate(evaluator, len(outputs)), size


def _predict(model: Any, batch: Any, stage: str) -> Any:
    outputs = model.val_step(batch) if stage == 'val' else model.test_step(batch)
    last = outputs[-1]
    # mmengine's loops take a last element of this kind for losses.
    return outputs[:-1] if isinstance(last, BaseDataElement) and last.keys() == ['loss'] else outputs


def _evaluate(evaluator: Evaluator, size: int) -> Mapping[str, Any]:
    scores: Mapping[str, Any] = evaluator.evaluate(size * get_world_size())
    return scores


def _wait() -> None:
    """Let a GPU raise here what it raises later."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
