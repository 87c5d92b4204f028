"""Weights of any family as `load_from` of a config."""

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import find_latest_checkpoint

from ...errors import InputError
from ...models import RepVGGClassifier
from ...models.block import unwrap_model
from ...weights.load import adapt_checkpoint


@HOOKS.register_module()
class LoadWeightsHook(Hook):
    """Give what mmengine read for `load_from` or a resume the names of the model.

    A classifier's file starts a segmentor's backbone; one that does not hold the whole backbone stops the run. A classifier of
    other classes starts from one with a new linear layer.

    Raises:
        InputError: a resume from a file without training state; as `repvgg_seg.weights.load.adapt_checkpoint`.
    """

    priority = 'VERY_HIGH'  # before hooks that look into the state dict

    def after_load_checkpoint(self, runner, checkpoint):
        if runner._resume:
            _check_training_state(checkpoint, runner._load_from or find_latest_checkpoint(runner.work_dir))
        adapt_checkpoint(checkpoint, runner.model)
        if not runner._resume:
            _renew_linear(checkpoint['state_dict'], unwrap_model(runner.model))


def _renew_linear(state_dict: dict, model) -> None:
    """Keep the linear layer of a classifier where that of the file is for another number of classes."""
    found = state_dict.get('linear.weight')
    if isinstance(model, RepVGGClassifier) and found is not None and len(found) != model.linear.out_features:
        print_log(
            f'the linear layer of the file is for {len(found)} classes, not {model.linear.out_features}: it starts anew',
            'current',
        )
        state_dict.update({f'linear.{name}': tensor for name, tensor in model.linear.state_dict().items()})


def _check_training_state(checkpoint: dict, name: str) -> None:
    whole = {'meta', 'message_hub', 'optimizer'} <= checkpoint.keys() and {'epoch', 'iter'} <= checkpoint['meta'].keys()
    if not whole:
        raise InputError(
            f'{name}: no training state in it to resume (iterations, optimizer); to start from its weights: '
            f'--cfg-options load_from={name}, without --resume'
        )
