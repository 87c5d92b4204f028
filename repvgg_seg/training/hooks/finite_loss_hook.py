"""What a run does about a loss, gradients or weights that are NaN or infinite."""

import functools
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import InputError, listed
from ...models.model_wrappers import unwrap_model
from .paramwise_hook import named_wrappers

_STATISTICS = ('running_mean', 'running_var')


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop a run whose loss is NaN or infinite, or pass over such iterations; weights that are not finite are never saved.

    Args:
        action: 'stop', before any checkpoint is written, or 'skip': parameters, momentum and BN statistics stay as they were before the
            iteration, which is also skipped where a gradient is not finite.
        most: with 'skip', how many iterations in a row are skipped before the run stops.

    Raises:
        InputError: names the iteration, the images of its batch and the last checkpoint.
    """

    priority = 'HIGH'  # before hooks that average or save weights

    def __init__(self, action: Literal['stop', 'skip'] = 'stop', most: int = 10):
        if action not in ('stop', 'skip'):
            raise InputError(f"FiniteLossHook: action is 'stop' or 'skip', got {action!r}")
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise InputError(f'FiniteLossHook: most is a whole number from 1, got {most!r}')
        self.action, self.most = action, most
        self._in_a_row = 0
        self._bad_loss = self._skipped = False
        self._statistics: dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        if self.action == 'skip':
            for _, wrapper in named_wrappers(runner.optim_wrapper):
                self._guard(wrapper)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.action == 'skip':
            self._skipped = False
            self._statistics = {k: b.clone() for k, b in runner.model.named_buffers() if b.is_floating_point()}

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        loss = _loss_of(outputs)
        if math.isfinite(loss) and not self._skipped:
            self._in_a_row = 0
            return
        what = f'the loss is {loss}' if not math.isfinite(loss) else 'a gradient is not finite'
        where = f'iteration {runner.iter + 1}: {what}{_images(data_batch)}'
        self._in_a_row += 1
        if self.action == 'stop' or self._in_a_row > self.most:
            raise InputError(
                f'{where}, so the run stops; {_last_checkpoint(runner)}. Set a smaller optim_wrapper.optimizer.lr, or '
                'optim_wrapper.clip_grad, or look at the images and labels'
                + (
                    f' ({self.most} iterations in a row were skipped)'
                    if self.action == 'skip'
                    else "; FiniteLossHook's action='skip' passes over such iterations"
                )
            )
        for name, buffer in runner.model.named_buffers():
            if name in self._statistics:
                buffer.copy_(self._statistics[name])
        print_log(f'{where}, so the iteration is skipped', 'current', logging.WARNING)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence[Any] | None = None
    ) -> None:
        """Stop where a validation gives NaN: it would be scored as if it were class 0, and might be saved as the best."""
        for output in outputs or ():
            if any(tensor.is_floating_point() and bool(tensor.isnan().any()) for tensor in _tensors(output)):
                path = getattr(output, 'img_path', None)
                raise InputError(
                    f'after iteration {runner.iter}, the validation{f" of {path}" if path else ""} gives NaN, so nothing is scored '
                    f'and the run stops; {_last_checkpoint(runner)}. Set a smaller optim_wrapper.optimizer.lr, or '
                    'optim_wrapper.clip_grad'
                )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse to save weights that are not finite, such as those of an update that no loss has been computed with yet."""
        parameters = {name for name, _ in unwrap_model(runner.model).named_parameters()}
        bad = [
            name
            for name, tensor in checkpoint['state_dict'].items()
            if (name in parameters or name.endswith(_STATISTICS)) and not _is_finite(tensor)
        ]
        if bad:
            raise InputError(
                f'after iteration {max(checkpoint["meta"]["iter"], 1)}, {len(bad)} tensors hold NaN or infinity ({listed(bad)}), so they '
                f'are not saved and the run stops; {_last_checkpoint(runner)}. Set a smaller optim_wrapper.optimizer.lr, or '
                'optim_wrapper.clip_grad'
            )

    def _guard(self, wrapper: OptimWrapper) -> None:
        """Let an optimizer pass over a step whose loss or gradients are not finite: without gradients it changes nothing."""
        update = wrapper.update_params

        @functools.wraps(update)
        def noted(loss: Tensor, *args: Any, **kwargs: Any) -> None:
            self._bad_loss |= not _is_finite(loss.detach())
            update(loss, *args, **kwargs)

        def before_step(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
            parameters = [p for group in optimizer.param_groups for p in group['params'] if p.grad is not None]
            bad = self._bad_loss or not all(_is_finite(p.grad) for p in parameters)
            flag = torch.tensor([int(bad)], device=parameters[0].device if parameters else 'cpu')
            all_reduce(flag, op='max')  # all processes take the step, or none does
            self._bad_loss = False
            if flag.item():
                self._skipped = True
                for parameter in parameters:
                    parameter.grad = None

        wrapper.update_params = noted
        wrapper.optimizer.register_step_pre_hook(before_step)


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _tensors(output: Any) -> Iterator[Tensor]:
    """The tensors of what a model predicts for an image."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, (Mapping, BaseDataElement)):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, (list, tuple)):
        for value in output:
            yield from _tensors(value)


def _loss_of(outputs: dict[str, Any] | None) -> float:
    """The loss of an iteration; the sum of all that are called so where there is no total."""
    losses = {k: v for k, v in (outputs or {}).items() if 'loss' in k} if isinstance(outputs, dict) else {}
    values = [losses['loss']] if 'loss' in losses else list(losses.values())
    return float(sum(float(torch.as_tensor(value).detach().sum()) for value in values))


def _images(batch: Any) -> str:
    """The files of a batch, for a message; '' where it does not say."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    paths = [path for sample in samples or [] if (path := getattr(sample, 'img_path', None))]
    if isinstance(batch, dict) and not paths:
        paths = [path for path in batch.get('img_path') or [] if isinstance(path, str)]
    return f' ({", ".join(paths)})' if paths else ''


def _last_checkpoint(runner: Runner) -> str:
    last = runner.message_hub.runtime_info.get('last_ckpt')
    return f'the last checkpoint is {last}' if last else 'no checkpoint has been written'
