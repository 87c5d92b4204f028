"""A short name for how a model is built, under which figures of the whole model are remembered."""

import hashlib
from dataclasses import fields, is_dataclass
from types import FunctionType

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from .layer_shapes import KNOWN_PACKAGES
from .options import Options

_PLAIN = (type(None), bool, int, float, str, torch.device, torch.dtype)
_HOOKS = ('_forward_hooks', '_forward_pre_hooks')
_OF_EVERY_MODULE = {*vars(nn.Module()), '_non_persistent_buffers_set'}
_READ_BY_NOBODY = 'cfg'  # in a forward pass: `mmseg.apis` keep the config of a model there


def structure(model: nn.Module, options: Options) -> str:
    """The input shape and a sum over classes, settings and the shapes and number types of the tensors of a model.

    Two models of one sum take the same time and memory, unless code of the same class has changed.
    """
    lines = []
    for name, module in model.named_modules():
        texts = {key: _as_text(value) for key, value in _settings(module).items()}
        settings = {key: text for key, text in texts.items() if text is not None}
        tensors = [*module._parameters.items(), *module._buffers.items()]
        shapes = [(key, tuple(t.shape), t.dtype, t.stride(), t.device.type) for key, t in tensors if t is not None]
        lines.append(f'{name} {_name(type(module))} {module.training} {settings} {shapes}')
    return f'{tuple(options.input_shape)} {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:20]}'


def is_known_whole(model: nn.Module) -> bool:
    """Whether `structure` says all that a model computes by, but for the values of its tensors.

    The classes are then of packages that are known, and the model has no hooks, no settings that have no text, and plain
    tensors.
    """
    tensors = [*model.parameters(), *model.buffers()]
    return all(not is_lazy(tensor) and tensor.layout is torch.strided for tensor in tensors) and all(
        _is_of_known_package(type(module))
        and not any(vars(module).get(hooks) for hooks in _HOOKS)
        and all(_as_text(value) is not None for value in _settings(module).values())
        for module in model.modules()
    )


def _settings(module: nn.Module) -> dict[str, object]:
    """The attributes of a module that are of its class."""
    return {key: value for key, value in vars(module).items() if key not in _OF_EVERY_MODULE and key != _READ_BY_NOBODY}


def _as_text(value: object) -> str | None:
    """A setting as a text, the same in every process; None where there is no such text."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, (type, FunctionType)):
        return _name(value) if _is_of_known_package(value) else None
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        value = [part for item in value.items() for part in item]
    if not isinstance(value, (tuple, list)):
        return None
    texts = list(map(_as_text, value))
    return None if None in texts else f'({", ".join(map(str, texts))})'


def _name(cls: type | FunctionType) -> str:
    return f'{cls.__module__}.{cls.__qualname__}'


def _is_of_known_package(cls: type | FunctionType) -> bool:
    """Whether a class or function is found by its name in a package whose code does not change from call to call."""
    return cls.__module__.split('.')[0] in KNOWN_PACKAGES and '<' not in cls.__qualname__
