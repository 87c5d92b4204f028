"""Weights of any family as `load_from` of a config."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from ..models.weights import adapt_checkpoint


@HOOKS.register_module()
class LoadWeightsHook(Hook):
    """Give what mmengine read for `load_from` or a resume the names of the model.

    A classifier's file starts a segmentor's backbone; one that does not hold the whole backbone stops the run.

    Raises:
        InputError: as `repvgg_seg.models.weights.adapt_checkpoint`.
    """

    priority = 'VERY_HIGH'  # before hooks that look into the state dict

    def after_load_checkpoint(self, runner, checkpoint):
        adapt_checkpoint(checkpoint, runner.model)
