"""Heads that do not fit their backbone or data set, refused before the first batch."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..agreement import compare_heads
from ..agreement.channels import check_channels
from ..agreement.classes import check_number_of_classes


@HOOKS.register_module()
class CheckHeadsHook(Hook):
    """Compare every head with the channels of the backbone and the classes of the data set.

    A class that the head does not know would be an index out of range in the loss; on a GPU that is a failed assertion
    that names no cause.

    Raises:
        InputError: they do not fit; the message says which setting has to change to what.
    """

    def before_train(self, runner: Runner) -> None:
        compare_heads(runner)

    def before_test(self, runner: Runner) -> None:
        check_number_of_classes(runner.model, runner.test_dataloader.dataset)
        check_channels(runner.model)
