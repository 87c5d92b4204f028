"""Mixed precision: `--amp`, and bfloat16 where mmengine's AmpOptimWrapper does not go."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import mmseg.registry as mmseg
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper, ApexOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from ..errors import InputError
from .config.registered_class import find_class


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """OptimWrapper that computes the forward pass in bfloat16, on any device; no loss scale is needed.

    mmengine's AmpOptimWrapper is for GPUs alone.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


_MIXED = (AmpOptimWrapper, ApexOptimWrapper, AutocastOptimWrapper)
_DTYPES = AmpOptimWrapper.valid_dtypes
_FOR_AMP_ONLY = ('loss_scale', 'dtype', 'use_fsdp')  # arguments that AmpOptimWrapper adds


def use_amp(cfg: Config) -> None:
    """Train in mixed precision: float16 with a dynamic loss scale on a GPU, bfloat16 on a CPU.

    Where the config trains in mixed precision already, its own settings stay.

    Raises:
        InputError: the config has an optimizer wrapper of another kind, which the option would replace.
    """
    wrappers = _wrappers(cfg)
    for path, wrapper in wrappers:
        cls = _class_of(wrapper, path, cfg)
        if isinstance(cls, type) and issubclass(cls, _MIXED):
            print_log(f'--amp: {path} trains in mixed precision already ({cls.__name__}); its settings stay', 'current')
        elif cls is OptimWrapper and torch.cuda.is_available():
            wrapper['type'] = 'AmpOptimWrapper'
            wrapper.setdefault('loss_scale', 'dynamic')
        elif cls is OptimWrapper:
            wrapper['type'] = 'AutocastOptimWrapper'
        else:
            raise InputError(
                f'--amp would replace {path}.type, {getattr(cls, "__name__", cls)}: leave the option out and derive that '
                'class from AmpOptimWrapper, or set the type to OptimWrapper'
            )
    if not wrappers:
        raise InputError(
            "--amp: the config's optim_wrapper holds no optimizer: set optim_wrapper=dict(optimizer=dict(type=..., lr=...))"
        )


def fit_amp(cfg: Config) -> None:
    """Replace AmpOptimWrapper, which is for GPUs alone, by bfloat16 on a CPU, and check its settings anywhere.

    Raises:
        InputError: an unknown dtype or loss scale; a class derived from AmpOptimWrapper on a CPU.
    """
    for path, wrapper in _wrappers(cfg):
        cls = _class_of(wrapper, path, cfg)
        if not (isinstance(cls, type) and issubclass(cls, AmpOptimWrapper)):
            continue
        dtype = _checked_dtype(wrapper, path)
        _check_loss_scale(wrapper, path)
        if torch.cuda.is_available():
            continue
        if cls is not AmpOptimWrapper:
            raise InputError(
                f'{path}.type: {cls.__name__} derives from AmpOptimWrapper, which is for GPUs alone: on a CPU, set '
                'AutocastOptimWrapper (bfloat16) or OptimWrapper'
            )
        _leave_to_the_cpu(wrapper, path, dtype)


def _leave_to_the_cpu(wrapper: dict, path: str, dtype: str | None) -> None:
    """Turn the dict of an AmpOptimWrapper into that of a wrapper for the CPU, and log what is left out."""
    mixed = dtype in (None, 'float16', 'bfloat16')
    wrapper['type'] = 'AutocastOptimWrapper' if mixed else 'OptimWrapper'
    given = {key: wrapper.pop(key) for key in _FOR_AMP_ONLY if key in wrapper}
    if mixed and dtype != 'float16':
        given.pop('dtype', None)  # it is computed as the config says
    left_out = ', '.join(f'{key}={value!r}' for key, value in given.items())
    print_log(
        f'{path}: AmpOptimWrapper is for GPUs alone; on this CPU the forward pass is computed in '
        f'{"bfloat16" if mixed else "float32"}{f", without {left_out}" if left_out else ""}',
        'current',
        logging.WARNING,
    )


def _wrappers(cfg: Config) -> list[tuple[str, dict]]:
    """The dicts of optimizer wrappers with their place: the one of the config, or those of several optimizers.

    Where a constructor gets its optimizers from somewhere else, it is the dict that the constructor gets.
    """
    top = cfg.get('optim_wrapper') or {}
    parts = {f'optim_wrapper.{key}': part for key, part in top.items() if isinstance(part, dict)}
    found = [(path, part) for path, part in ({'optim_wrapper': top} | parts).items() if 'optimizer' in part]
    return found or ([('optim_wrapper', top)] if 'constructor' in top else [])


def _class_of(wrapper: dict, path: str, cfg: Config) -> Any:
    scope = wrapper.get('_scope_') or cfg.get('default_scope') or 'mmseg'
    return find_class(wrapper.get('type', OptimWrapper), f'{path}.type', mmseg.OPTIM_WRAPPERS, scope)


def _checked_dtype(wrapper: dict, path: str) -> str | None:
    """The name of the dtype that an AmpOptimWrapper is given; None for its default."""
    dtype = wrapper.get('dtype')
    name = str(dtype).removeprefix('torch.') if isinstance(dtype, torch.dtype) else dtype
    if name is not None and name not in _DTYPES:
        raise InputError(f'{path}.dtype: got {dtype!r}; AmpOptimWrapper takes {", ".join(_DTYPES)}')
    return name


def _check_loss_scale(wrapper: dict, path: str) -> None:
    """Refuse a loss scale that AmpOptimWrapper does not take; whole numbers and numbers as text are made floats for it."""
    scale = wrapper.get('loss_scale', 'dynamic')
    if isinstance(scale, (int, str)) and not isinstance(scale, bool):
        with suppress(ValueError):
            scale = wrapper['loss_scale'] = float(scale)
    if scale != 'dynamic' and not isinstance(scale, (float, dict)):
        raise InputError(
            f"{path}.loss_scale: got {scale!r}; AmpOptimWrapper takes 'dynamic', a number, or a dict of GradScaler's arguments"
        )
