"""Every evaluation scores the network that would be deployed."""

import random

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS

from ...models.block import find_blocks
from ...models.reparameterize import reparameterize_model
from ...optimize import optimize_for_inference


@HOOKS.register_module()
class SwitchToDeployHook(Hook):
    """Put a fused copy in the model's place for the time of a validation or test.

    The training form is not touched: parameters, BN statistics, optimizer and, as validation also draws random
    numbers (the seed of its data loader), the states of the random generators go on as if there had been no
    validation. Where `EMAHook` is used, the averaged parameters are the ones that are fused. A model without
    blocks in training form is evaluated as it is.

    Args:
        optimize: test (not validate) the model as `optimize_for_inference` rewrites it, one without RepVGG too.
    """

    # After EMAHook (NORMAL) has put in the averaged parameters, before CheckpointHook (VERY_LOW) saves the best.
    priority = 'LOW'

    def __init__(self, optimize: bool = False):
        self.optimize = optimize
        self._training_form = None
        self._random_states = None

    def before_val(self, runner) -> None:
        self._random_states = _get_random_states()

    def after_val(self, runner) -> None:
        _set_random_states(self._random_states)

    def before_val_epoch(self, runner) -> None:
        self._switch(runner)

    def after_val_epoch(self, runner, metrics=None) -> None:
        self._switch_back(runner)

    def before_test_epoch(self, runner) -> None:
        if self.optimize:
            self._training_form = runner.model
            runner.model = optimize_for_inference(runner.model, input_shape=_input_shape(runner))
        else:
            self._switch(runner)

    def after_test_epoch(self, runner, metrics=None) -> None:
        self._switch_back(runner)

    def _switch(self, runner) -> None:
        blocks = len(find_blocks(runner.model))
        if blocks:
            self._training_form = runner.model
            runner.model = reparameterize_model(runner.model)
            print_log(f'evaluating the fused form: {blocks} RepVGG blocks, one 3x3 conv each', 'current')

    def _switch_back(self, runner) -> None:
        if self._training_form is not None:
            runner.model, self._training_form = self._training_form, None


def _input_shape(runner) -> tuple[int, int, int, int]:
    """(N, 3, H, W) of what the network is going to see: windows, or whole images as the first of the data set."""
    test_cfg = runner.cfg.model.get('test_cfg', {})
    if test_cfg.get('mode') == 'slide':
        return 1, 3, *test_cfg.crop_size
    return 1, *runner.test_dataloader.dataset[0]['inputs'].shape


def _get_random_states() -> tuple:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda


def _set_random_states(states: tuple) -> None:
    python, numpy, cpu, cuda = states
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
