"""How much memory a test holds, early and at its end."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...measure.process_memory import process_memory

_EARLY = 20  # images after which what is allocated once has been allocated


@HOOKS.register_module()
class EvaluationMemoryHook(Hook):
    """Note the memory of the process after 20 images of a test and at its end; tools/test.py writes it into its record.

    Attributes:
        figures: MiB by name: `resident_after_20_images`, `resident_at_end`, ...
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}
        self._images = 0

    def before_test_epoch(self, runner: Runner) -> None:
        self._images = 0
        self.figures = {}

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        before, self._images = self._images, self._images + len(outputs or ())
        if before < _EARLY <= self._images:
            self._note(f'after_{_EARLY}_images')

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._note('at_end')

    def _note(self, when: str) -> None:
        self.figures |= {f'{name}_{when}': round(size / 2**20, 1) for name, size in process_memory().items()}
