"""Checkpoints from which a run can go on as if it had not been interrupted."""

import os.path as osp
from typing import Any

import torch
from mmengine.dist import all_gather_object, broadcast_object_list, get_rank, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...files import remove_leftovers
from ...models.model_wrappers import unwrap_model
from ..resume_latest_whole_file import write_last_named

_STATES = 'process_states'  # entry of a checkpoint: what each process has of its own
_OUTDATED = 'outdated_checkpoints'  # entry of a checkpoint: names of the files that it replaces


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's `CheckpointHook`, which loses nothing where the run is killed.

    - An old checkpoint is removed when the new one is in its place, not before.
    - `last_checkpoint` holds a relative name, so that a work dir can be moved and copied.
    - The best checkpoint of a run that was resumed into another work dir stays where it is.
    - Each process's own BN statistics, and gradients that are being accumulated, are saved.
    - A checkpoint is written again after the validation that follows it. Where that is missing, the resumed run validates first.

    `QuietRunner.save_checkpoint` writes the files whole or not at all. tools/train.py puts this hook in the place of mmengine's.

    Args:
        *args, **kwargs: of `CheckpointHook`.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.file_backend: Any = None
        self._states: list[dict[str, Any]] = []
        self._gradients: dict[str, torch.Tensor] = {}
        self._leftover: list[str] = []
        self._validated: bool | None = None  # of the checkpoint that the run goes on from; None where it does not say
        self._in_validation = False
        self._written = 0  # checkpoints, since the last validation began
        self._saved_at: tuple[int, int] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take over what this process had of its own, before mmengine loads the state dict."""
        if not runner._resume:
            return
        self._validated = checkpoint['meta'].get('validated')
        self._leftover = checkpoint.get(_OUTDATED) or []
        states = checkpoint.get(_STATES) or []
        if len(states) == get_world_size():
            own = states[get_rank()]
            names = checkpoint['state_dict'].keys()
            checkpoint['state_dict'].update({k: v for k, v in own['buffers'].items() if k in names})
            self._gradients = own['gradients']

    def before_train(self, runner: Runner) -> None:
        resumed_from = str(runner._load_from) if runner._resume and runner._load_from else ''
        self._forget_best_of_elsewhere(runner, _folder(self, runner))
        super().before_train(runner)
        self.file_backend = _RemovesLater(self.file_backend)
        if is_main_process() and osp.isdir(self.out_dir):
            remove_leftovers(self.out_dir, '.pth')
            for path in (osp.join(self.out_dir, name) for name in self._leftover):
                if osp.isfile(path) and osp.abspath(path) != osp.abspath(resumed_from):
                    self.file_backend.remove(path)
            self.file_backend.flush()
        parameters = dict(unwrap_model(runner.model).named_parameters())
        for name, gradient in self._gradients.items():
            parameters[name].grad = gradient.to(parameters[name].device)
        if resumed_from and osp.abspath(osp.dirname(resumed_from)) == osp.abspath(self.out_dir):
            self.last_ckpt = resumed_from
            self._saved_at = (runner.epoch, runner.iter)
        self._validate_if_missing(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint[_OUTDATED] = [osp.basename(path) for path in self.file_backend.outdated]
        if 'optimizer' in checkpoint:
            checkpoint[_STATES] = self._states

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._in_validation = True
        self._written = 0
        super().after_val_epoch(runner, metrics or {})
        if not self._written and self.last_ckpt and self._saved_at == (runner.epoch, runner.iter):
            step = runner.epoch if self.by_epoch else runner.iter
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))
        self._in_validation = False
        self.file_backend.flush()

    def save_now(self, runner: Runner, epoch: int, iteration: int) -> str:
        """Save a checkpoint out of turn, unless it is there; returns its path.

        Args:
            runner: after an iteration.
            epoch, iteration: how many are done.
        """
        if self._saved_at != (epoch, iteration) or not self.last_ckpt:
            step: int | str = iteration
            if self.by_epoch:
                whole = iteration == epoch * len(runner.train_dataloader)
                step = epoch if whole else f'{epoch}_iter_{iteration}'
            self._save_checkpoint_with_step(runner, step, dict(epoch=epoch, iter=iteration))
        return str(self.last_ckpt)

    def _save_checkpoint_with_step(self, runner: Runner, step: int | str, meta: dict[str, Any]) -> None:
        self._states = _states_of_processes(runner)
        self._saved_at = (meta['epoch'], meta['iter'])
        self._written += 1
        super()._save_checkpoint_with_step(runner, step, dict(meta, validated=self._in_validation))
        if is_main_process():
            write_last_named(runner.work_dir, str(self.last_ckpt))
        if not self._in_validation:
            self.file_backend.flush()

    def _forget_best_of_elsewhere(self, runner: Runner, folder: str) -> None:
        """Let the hub name best checkpoints in the folder of this run alone: those named are removed when there are better ones."""
        hub = runner.message_hub.runtime_info
        for key in [key for key in hub if key == 'best_ckpt' or key.startswith('best_ckpt_')]:
            path = str(hub[key])
            beside = osp.join(folder, osp.basename(path))
            if '://' in path or beside == path:
                continue
            if osp.isfile(beside):
                runner.message_hub.update_info(key, beside)
                continue
            del hub[key]
            if osp.isfile(path):
                print_log(f'the best checkpoint so far, {path}, stays where it is', 'current')

    def _validate_if_missing(self, runner: Runner) -> None:
        """Validate now where the run was killed between a checkpoint and the end of the validation that was due."""
        missing = [self._validated is False and _validation_is_due(runner)]
        broadcast_object_list(missing)
        if missing[0]:
            print_log(f'the validation after iteration {runner.iter} was not finished, and is run now', 'current')
            runner.val_loop.run()


class _RemovesLater:
    """A file backend that notes what is to be removed, and removes it when it is told to."""

    def __init__(self, backend: Any):
        self._backend = backend
        self.outdated: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.outdated.append(path)

    rmtree = remove

    def flush(self) -> None:
        for path in self.outdated:
            if self._backend.isfile(path):
                self._backend.remove(path)
            elif self._backend.isdir(path):
                self._backend.rmtree(path)
        self.outdated = []


def _folder(hook: CheckpointHook, runner: Runner) -> str:
    """Where mmengine's hook will put its files."""
    if hook.out_dir is None or hook.out_dir == runner.work_dir:
        return runner.work_dir
    return osp.join(hook.out_dir, osp.basename(runner.work_dir.rstrip(osp.sep)))


def _states_of_processes(runner: Runner) -> list[dict[str, Any]]:
    """What each process has of its own: buffers, such as the statistics of BN, and gradients that are being accumulated."""
    model = unwrap_model(runner.model)
    gradients = {k: p.grad.detach().cpu() for k, p in model.named_parameters() if p.grad is not None}
    buffers = {} if get_world_size() == 1 else {k: buffer.detach().cpu() for k, buffer in model.named_buffers()}
    return all_gather_object(dict(buffers=buffers, gradients=gradients))


def _validation_is_due(runner: Runner) -> bool:
    """Whether the training loop would validate where the run stands."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    if by_epoch and loop.iter != loop.epoch * len(loop.dataloader):
        return False
    loop._decide_current_val_interval()
    done, whole = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    return bool(done and done >= loop.val_begin and (done % loop.val_interval == 0 or done == whole))
