"""Images that do not fit in memory, in validations and tests."""

from contextlib import ExitStack

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...evaluation.images_too_large import WindowsIfTooLarge, windows_if_too_large


@HOOKS.register_module()
class TooLargeImagesHook(Hook):
    """Compute images that do not fit in memory in windows: `WindowsIfTooLarge`.

    Attributes:
        images: how many of the last validation or test, of all processes.
        windows: the sizes of their windows, (height, width).
    """

    # After SwitchToDeployHook (LOW) has put in the model that is evaluated, before RehearsalHook (LOWEST) tries it.
    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.images = 0
        self.windows: list[tuple[int, int]] = []
        self._open = ExitStack()
        self._given: WindowsIfTooLarge | None = None

    def before_val_epoch(self, runner: Runner) -> None:
        self._given = self._open.enter_context(windows_if_too_large(runner.model))

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._open.close()
        if self._given is None:
            return
        found = all_gather_object((self._given.images, self._given.windows))
        self.images = sum(images for images, _ in found)
        self.windows = sorted(set().union(*(windows for _, windows in found)))
        self._given = None
        if self.images:
            print_log(
                f'{self.images} images were computed in windows, since they do not fit in memory as a whole', 'current'
            )

    before_test_epoch = before_val_epoch
    after_test_epoch = after_val_epoch
