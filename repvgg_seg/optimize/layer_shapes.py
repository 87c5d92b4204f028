"""Runs of a model of which only the shapes matter, or what is read: on the device 'meta', where nothing is computed."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.hooks import RemovableHandle

from .options import Options, device_of
from .undo import Snapshot

# What the modules of these packages do does not depend on the values of an image, nor do they keep tensors of a run.
KNOWN_PACKAGES = ('repvgg_seg', 'mmseg', 'mmengine', 'mmcv', 'torch')


@torch.inference_mode()
def run_for_shapes(model: nn.Module, shape: tuple[int, ...]) -> None:
    """Run a model on an image (N, C, H, W) without its result: without values where that is possible, else really."""
    try:
        run_without_values(model, shape)
    except Exception:  # what the model itself finds wrong, it raises again
        model(torch.rand(shape, device=device_of(model)))


@torch.inference_mode()
def run_without_values(model: nn.Module, shape: tuple[int, ...], **kwargs: Any) -> None:
    """Run a model on an image (N, C, H, W) on the device 'meta', with its tensors as they are; it stays as it was.

    Raises:
        Exception: of any kind: an operator needs values, a class is of a package that nothing is known of, the model
            takes no such image.
    """
    if not all(type(module).__module__.split('.')[0] in KNOWN_PACKAGES for module in model.modules()):
        raise RuntimeError('classes of other packages may depend on values, or keep tensors of a run')
    before = Snapshot(model)
    tensors = (*model.named_parameters(), *model.named_buffers())
    empty = {name: torch.empty_like(tensor, device='meta') for name, tensor in tensors}
    try:
        functional_call(model, empty, (torch.empty(shape, device='meta'),), kwargs)
    finally:
        before.restore()


def input_shapes(model: nn.Module, layers: Iterable[nn.Module], options: Options) -> dict[nn.Module, torch.Size]:
    """The shape of the feature map that each layer gets for a batch of `options.input_shape`; no layer that gets none."""
    shapes: dict[nn.Module, torch.Size] = {}

    def note(layer: nn.Module) -> RemovableHandle:
        def hook(layer: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            shapes[layer] = args[0].shape

        return layer.register_forward_pre_hook(hook)

    hooks = [note(layer) for layer in layers]
    try:
        run_for_shapes(model, options.input_shape)
    finally:
        for hook in hooks:
            hook.remove()
    return shapes
