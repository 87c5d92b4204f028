"""Weights of any family as `load_from` of a config."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import find_latest_checkpoint

from ..errors import InputError
from ..models.weights import adapt_checkpoint


@HOOKS.register_module()
class LoadWeightsHook(Hook):
    """Give what mmengine read for `load_from` or a resume the names of the model.

    A classifier's file starts a segmentor's backbone; one that does not hold the whole backbone stops the run.

    Raises:
        InputError: a resume from a file without training state; as `repvgg_seg.models.weights.adapt_checkpoint`.
    """

    priority = 'VERY_HIGH'  # before hooks that look into the state dict

    def after_load_checkpoint(self, runner, checkpoint):
        if runner._resume:
            _check_training_state(checkpoint, runner._load_from or find_latest_checkpoint(runner.work_dir))
        adapt_checkpoint(checkpoint, runner.model)


def _check_training_state(checkpoint: dict, name: str) -> None:
    whole = {'meta', 'message_hub', 'optimizer'} <= checkpoint.keys() and {'epoch', 'iter'} <= checkpoint['meta'].keys()
    if not whole:
        raise InputError(
            f'{name}: no training state in it to resume (iterations, optimizer); to start from its weights: '
            f'--cfg-options load_from={name}, without --resume'
        )
