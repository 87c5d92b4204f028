"""One part of a model in the place of another."""

from torch import nn


def replace_module(model: nn.Module, old: nn.Module, new: nn.Module) -> nn.Module:
    """Put a module in the place of another, everywhere in a model; returns the model, or `new` if `old` is the model."""
    for owner in list(model.modules()):
        for name, child in list(owner.named_children()):
            if child is old:
                setattr(owner, name, new)
    return new if model is old else model
