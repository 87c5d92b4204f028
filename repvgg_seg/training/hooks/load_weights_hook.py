"""Lets `load_from` of a config and a resume take checkpoints of any family."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn

from ...models import BackboneClassifier
from ...models.model_wrappers import unwrap_model
from ...weight_names import AUXILIARY
from ...weights.load_into_model import adapt_checkpoint
from ..resume import check_training_state
from ..resume_latest_whole_file import latest_checkpoint


@HOOKS.register_module()
class LoadWeightsHook(Hook):
    """Give the checkpoint that mmengine read for `load_from` or a resume the names of the model.

    A segmentor can start from a classifier's checkpoint. A checkpoint that does not hold the whole backbone stops the
    run. A classifier that starts from one with another number of classes keeps its own, new linear layer.

    Raises:
        InputError: a resume from a file without training state; as `repvgg_seg.weights.load_into_model.adapt_checkpoint`.
    """

    priority = 'VERY_HIGH'  # before hooks that look into the state dict

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if runner._resume:
            check_training_state(checkpoint, runner._load_from or str(latest_checkpoint(runner.work_dir)))
        adapt_checkpoint(checkpoint, runner.model)
        if not runner._resume:
            _renew_linear(checkpoint['state_dict'], unwrap_model(runner.model))


def _renew_linear(state_dict: dict[str, Tensor], model: nn.Module) -> None:
    """Keep the linear layer of a classifier if that of the file has another number of classes."""
    found = state_dict.get('linear.weight')
    if isinstance(model, BackboneClassifier) and found is not None and len(found) != model.linear.out_features:
        print_log(
            f'the linear layer of the file is for {len(found)} classes, not {model.linear.out_features}: '
            'it starts anew',
            'current',
        )
        state_dict.update({f'linear.{name}': tensor for name, tensor in model.linear.state_dict().items()})
        for name in [name for name in state_dict if name.startswith(AUXILIARY)]:
            del state_dict[name]
