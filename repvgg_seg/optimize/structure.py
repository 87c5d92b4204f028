"""A short name for how a model is built, under which figures of the whole model are remembered."""

import hashlib

from torch import nn

from .options import Options

_SETTINGS = (bool, int, float, str)


def structure(model: nn.Module, options: Options) -> str:
    """The input shape and a sum over classes, settings and the shapes and number types of the tensors of a model.

    Two models of one sum take the same time and memory, unless code of the same class has changed.
    """
    lines = []
    for name, module in model.named_modules():
        settings = {key: value for key, value in vars(module).items() if _is_setting(value)}
        tensors = [*module._parameters.items(), *module._buffers.items()]
        shapes = [(key, tuple(t.shape), t.dtype, t.stride(), t.device.type) for key, t in tensors if t is not None]
        lines.append(f'{name} {type(module).__module__}.{type(module).__qualname__} {settings} {shapes}')
    return f'{tuple(options.input_shape)} {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:20]}'


def _is_setting(value: object) -> bool:
    """Whether a value is a number or a text, or a nest of them: its text is then the same in every process."""
    if isinstance(value, (tuple, list)):
        return all(map(_is_setting, value))
    if isinstance(value, dict):
        return all(map(_is_setting, [*value, *value.values()]))
    return value is None or isinstance(value, _SETTINGS)
