"""Training with torch.compile."""

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...models.repvgg import RepVGG


@HOOKS.register_module()
class CompileHook(Hook):
    """Compile the backbone before training, stage by stage for RepVGG.

    mmengine's `compile=True` compiles a whole step, with the images' preparation and the optimizer. The stem of RepVGG is left
    out: the backward pass of a compiled conv with a stride and three input channels crashes on a CPU (torch 2.13).

    Args:
        backend: that of `torch.compile`.
    """

    def __init__(self, backend: str = 'inductor'):
        self.backend = backend

    def before_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        bodies = [module for module in model.modules() if isinstance(module, RepVGG)]
        stages = [body.get_submodule(f'stage{i}') for body in bodies for i in range(1, 5)]
        for part in stages or [getattr(model, 'backbone', model)]:
            part.compile(backend=self.backend)
        print_log(f'the backbone is compiled ({self.backend}): the first iterations take their time', 'current')
