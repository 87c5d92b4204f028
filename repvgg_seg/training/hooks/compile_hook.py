"""Training with torch.compile."""

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...models.compile_backbone import compile_backbone


@HOOKS.register_module()
class CompileHook(Hook):
    """Compile the backbone before training. mmengine's `compile=True` compiles a whole step, with the optimizer.

    Args:
        backend: that of `torch.compile`.
    """

    def __init__(self, backend: str = 'inductor'):
        self.backend = backend

    def before_train(self, runner: Runner) -> None:
        compile_backbone(runner.model, self.backend)
        print_log(f'the backbone is compiled ({self.backend}): the first iterations take their time', 'current')
