"""The wrappers that distributed and parallel training put around a model."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap_model(model: nn.Module) -> nn.Module:
    """The model inside the wrappers of distributed and parallel training; the model itself where there is none."""
    while is_model_wrapper(model):  # torch's own wrappers are registered with mmengine's
        model = model.get_submodule('module')
    return model
