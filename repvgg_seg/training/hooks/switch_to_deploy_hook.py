"""Evaluation of the fused network, during training too."""

import logging
from contextlib import ExitStack

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from ...models.block import find_blocks
from ...models.image_channels import image_channels
from ...models.reparameterize import reparameterize_model
from ...optimize import optimize_for_inference
from ...optimize.options import checked_memory
from ...random_states import kept_random_states
from ..agreement.norm_and_fusing import parts_not_fusible


@HOOKS.register_module()
class SwitchToDeployHook(Hook):
    """Put a fused copy in the model's place for the time of a validation or test.

    The run goes on as if there had been no validation: parameters, BN statistics and optimizer are not touched, and the random
    generators, from which a validation draws the seed of its data loader, are set back. Where `EMAHook` is used, the averaged
    parameters are fused. A model without blocks in training form is evaluated as it is, and so is one with a norm or a block that cannot
    be fused, which is logged once, before the first iteration.

    Args:
        optimize: in a test, though not in a validation, evaluate what `optimize_for_inference` makes of the model, with or
            without RepVGG blocks.
        memory, measure_anew: of `optimize_for_inference`.
    """

    # After EMAHook (NORMAL) has put in the averaged parameters, before CheckpointHook (VERY_LOW) saves the best.
    priority = 'LOW'

    def __init__(self, optimize: bool = False, memory: str | int = 'free', measure_anew: bool = False):
        self.optimize = optimize
        self.memory = checked_memory(memory)
        self.measure_anew = measure_anew
        self._training_form: nn.Module | None = None
        self._random_states = ExitStack()
        self._said_unfused = False

    def before_train(self, runner: Runner) -> None:
        if runner.val_loop is not None:
            self._say_if_unfused(runner)

    def before_val(self, runner: Runner) -> None:
        self._random_states = kept_random_states()

    def after_val(self, runner: Runner) -> None:
        self._random_states.close()

    def before_val_epoch(self, runner: Runner) -> None:
        self._switch(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self._switch_back(runner)

    def before_test_epoch(self, runner: Runner) -> None:
        if self.optimize:
            self._training_form = runner.model
            runner.model = optimize_for_inference(
                runner.model,
                input_shape=_input_shape(runner),
                memory=self.memory,
                measure_anew=self.measure_anew,
            )
        else:
            self._switch(runner)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self._switch_back(runner)

    def _switch(self, runner: Runner) -> None:
        blocks = len(find_blocks(runner.model))
        self._say_if_unfused(runner)
        if blocks and not self._said_unfused:
            self._training_form = runner.model
            runner.model = reparameterize_model(runner.model)
            print_log(f'evaluating the fused form: {blocks} RepVGG blocks, one 3x3 conv each', 'current')

    def _say_if_unfused(self, runner: Runner) -> None:
        """Say once that the model is evaluated in its training form."""
        parts = parts_not_fusible(runner.model)
        if parts and not self._said_unfused:
            self._said_unfused = True
            print_log(
                f'evaluating the training form: {", ".join(parts)} in the backbone cannot become part of a conv, only BN and '
                'SyncBN with running statistics can',
                'current',
                logging.WARNING,
            )

    def _switch_back(self, runner: Runner) -> None:
        if self._training_form is not None:
            runner.model, self._training_form = self._training_form, None


def _input_shape(runner: Runner) -> tuple[int, int, int, int]:
    """(1, C, H, W) of what the network is going to see: windows, or images of the size of the first one."""
    test_cfg = runner.cfg.model.get('test_cfg', {})
    if test_cfg.get('mode') == 'slide':
        return 1, image_channels(runner.model), *test_cfg.crop_size
    return 1, *runner.test_dataloader.dataset[0]['inputs'].shape
