"""The rehearsal before the first iteration, or before the first image of a test."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..agreement import compare_for_test, compare_for_training
from ..agreement.classes import check_classes_of_checkpoint
from ..rehearsal import rehearse_test, rehearse_training
from .switch_to_deploy_hook import SwitchToDeployHook


@HOOKS.register_module()
class RehearsalHook(Hook):
    """Compare the settings that must agree, then take one batch through every step of the run.

    Afterwards parameters, statistics, random states and the order of images are as before. tools/train.py and tools/test.py
    add this hook; `--no-rehearsal` leaves it out.

    Raises:
        InputError: settings that do not agree, or a step that failed, in one line.
    """

    priority = 'LOWEST'  # sees what all other hooks have made of the model

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if runner._resume:
            dataset = runner.train_dataloader.dataset
            check_classes_of_checkpoint(checkpoint.get('meta'), dataset, str(runner._load_from or 'the checkpoint'))

    def before_train(self, runner: Runner) -> None:
        compare_for_training(runner)
        rehearse_training(runner, fuse=any(isinstance(hook, SwitchToDeployHook) for hook in runner.hooks))

    def before_test_epoch(self, runner: Runner) -> None:
        compare_for_test(runner)
        rehearse_test(runner)
