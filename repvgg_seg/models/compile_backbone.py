"""torch.compile of the backbone, for training."""

from torch import nn

from .repvgg import RepVGG


def compile_backbone(model: nn.Module, backend: str = 'inductor') -> None:
    """Compile the backbone of a model in place, stage by stage for RepVGG; names and state dict stay what they are.

    The stem of RepVGG is left out: the backward pass of a compiled conv with a stride and three input channels crashes on a CPU
    (torch 2.13).

    Args:
        model: a segmentor or a classifier; it is compiled whole where it has no backbone.
        backend: that of `torch.compile`.
    """
    bodies = [module for module in model.modules() if isinstance(module, RepVGG)]
    stages = [body.get_submodule(f'stage{i}') for body in bodies for i in range(1, 5)]
    for part in stages or [getattr(model, 'backbone', model)]:
        part.compile(backend=backend)
