"""The wrappers that distributed and parallel training, and test-time augmentation, put around a model."""

import reprlib

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from ..errors import InputError


def unwrap_model(model: nn.Module) -> nn.Module:
    """The model inside the wrappers of distributed and parallel training; the model itself where there is none."""
    while is_model_wrapper(model):  # torch's own wrappers are registered with mmengine's
        model = model.get_submodule('module')
    return model


def inner_model(model: nn.Module) -> nn.Module:
    """The model inside the wrappers of distributed training and of test-time augmentation."""
    model = unwrap_model(model)
    return unwrap_model(model.module) if isinstance(model, BaseTTAModel) else model


def checked_model(model: object, values: bool = False) -> nn.Module:
    """What a user gave as a model, without its wrappers.

    Args:
        model: what was given.
        values: whether its weights have to have values, which they have not on the device 'meta'.

    Raises:
        InputError: it is no network, or has no values.
    """
    if not isinstance(model, nn.Module):
        raise InputError(
            f'model must be a network (torch.nn.Module), got {reprlib.repr(model)} ({type(model).__name__}): build it '
            'first, as mmseg.apis.init_model(CONFIG, FILE) does'
        )
    if values and any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        raise InputError(
            "the model is on the device 'meta', where weights have no values: build it on another device, or call "
            "model.to_empty(device='cpu') before its weights are loaded"
        )
    return unwrap_model(model)
