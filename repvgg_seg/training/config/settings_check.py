"""Settings that no registered class takes: those of the Runner, its environment, the test mode, clipping and groups of parameters."""

import inspect
import logging
import multiprocessing
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

from mmengine.config import Config
from mmengine.dist import init_dist
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from mmseg.evaluation import IoUMetric
from mmseg.models import EncoderDecoder
from mmseg.registry import METRICS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from ...errors import InputError, closest_names, similar_names
from ...evaluation.iou_metric import StreetIoUMetric
from ...models import RepVGG
from .registered_class import find_class
from .set_options import READ_KEYS
from .value_check import check_value

_IOU_METRICS = ('mIoU', 'mDice', 'mFscore')
_CLIP: dict[str, Callable[..., Any]] = dict(norm=nn.utils.clip_grad_norm_, value=nn.utils.clip_grad_value_)


def check_settings(cfg: Config, training: bool) -> None:
    """Check what a Runner and a segmentor read from plain dicts.

    Args:
        cfg: the config as it was read.
        training: whether the settings of the optimizer are used.

    Raises:
        InputError: an unknown key, or a value that is none of those allowed. A top-level key that resembles one that is read is a
            warning, since a config may have variables of any name.
    """
    _check_parts(cfg, 'train' if training else 'test')
    for name in ('work_dir', 'load_from', 'experiment_name', 'resume', 'default_scope'):
        check_value(cfg.get(name), name, Runner, name)
    _check_log_level(cfg.get('log_level'))
    _check_environment(cfg)
    scope = cfg.get('default_scope') or 'mmseg'
    _check_test_cfg(cfg.model, scope)
    _check_no_pretrained(cfg.model, scope)
    evaluator = 'val_evaluator' if training else 'test_evaluator'
    _check_iou_metrics(cfg.get(evaluator), evaluator, scope)
    if training:
        _check_keys(cfg.get('auto_scale_lr'), 'auto_scale_lr', ('enable', 'base_batch_size'))
        _check_optimization(cfg.get('optim_wrapper'), scope)
    for key, value in cfg.items():
        if (
            key not in READ_KEYS
            and not callable(value)  # a class that a config of mmengine's lazy kind imports
            and (close := similar_names(key, READ_KEYS, cutoff=0.87))
            and close[0] not in _VARIABLES.get(key, ())
        ):
            print_log(
                f'nothing reads {key!r} of the config; is {" or ".join(close)} meant?', 'current', logging.WARNING
            )


# Usual variables of config files that resemble keys that are read.
_VARIABLES = dict(test_pipeline=('tta_pipeline',), models=('model',))


def _check_parts(cfg: Config, needed: str) -> None:
    """The settings that training, validation and test each need together."""
    parts = dict(
        train=('train_dataloader', 'train_cfg', 'optim_wrapper'),
        val=('val_dataloader', 'val_cfg', 'val_evaluator'),
        test=('test_dataloader', 'test_cfg', 'test_evaluator'),
    )
    for name, keys in parts.items():
        missing = [key for key in keys if cfg.get(key) is None]
        if missing and (name == needed or len(missing) < len(keys)):
            without = '' if name == needed else f'; to do without it, set {", ".join(keys)} to None'
            raise InputError(f'{", ".join(missing)}: not in the config, and "{name}" needs {", ".join(keys)}{without}')


def _check_keys(value: Any, path: str, known: Iterable[str]) -> dict[str, Any]:
    """The dict at a place, whose keys are all known; an empty one for None."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError(f'{path}: got {reprlib.repr(value)}; give a dict of {", ".join(known)}')
    for key in value:
        if key not in known:
            raise InputError(
                f'{path}.{key}: no setting of this name{closest_names(str(key), known)}; there are {", ".join(known)}'
            )
    return value


def _check_arguments(value: Any, path: str, function: Any, given: tuple[str, ...] = ()) -> dict[str, Any]:
    """Check a dict whose items are the arguments of a function."""
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name not in given]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return value if isinstance(value, dict) else _check_keys(value, path, names)
    settings = _check_keys(value, path, names)
    for name, setting in settings.items():
        check_value(setting, f'{path}.{name}', function, name)
    return settings


def _check_log_level(level: Any) -> None:
    names = ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')
    known = (
        isinstance(logging.getLevelName(level), int) if isinstance(level, str) else isinstance(level, (int, type(None)))
    )
    if not known:
        raise InputError(f'log_level: got {level!r}{closest_names(str(level), names)}; give one of {", ".join(names)}')


def _check_environment(cfg: Config) -> None:
    randomness = _check_arguments(cfg.get('randomness'), 'randomness', Runner.set_randomness, ('self',))
    seed = randomness.get('seed')
    if not isinstance(seed, (int, type(None))) or not 0 <= (seed or 0) < 2**32:
        raise InputError(
            f'randomness.seed: got {seed!r}; give a number from 0 to {2**32 - 1}, or None for a random one'
        )
    env = _check_keys(cfg.get('env_cfg'), 'env_cfg', ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'))
    mp_cfg = _check_arguments(env.get('mp_cfg'), 'env_cfg.mp_cfg', set_multi_processing, ('distributed',))
    methods = multiprocessing.get_all_start_methods()
    if mp_cfg.get('mp_start_method', methods[0]) not in methods:
        raise InputError(
            f'env_cfg.mp_cfg.mp_start_method: got {mp_cfg["mp_start_method"]!r}; this system has {", ".join(methods)}'
        )
    _check_arguments(env.get('dist_cfg'), 'env_cfg.dist_cfg', init_dist, ('launcher',))


def _check_test_cfg(model: Any, scope: str) -> None:
    """The test mode of mmseg's segmentors, which is read at the first validation."""
    cls = find_class(model.get('type'), 'model.type', MODELS, model.get('_scope_') or scope)
    if not (isinstance(cls, type) and issubclass(cls, EncoderDecoder)):
        return
    if getattr(cls, 'inference', None) is not EncoderDecoder.inference:  # it may have modes of its own
        return
    test_cfg = model.get('test_cfg')
    if not isinstance(test_cfg, dict) or test_cfg.get('mode') not in ('whole', 'slide'):
        got = (
            reprlib.repr(test_cfg)
            if not isinstance(test_cfg, dict) or 'mode' not in test_cfg
            else repr(test_cfg['mode'])
        )
        raise InputError(
            f"model.test_cfg.mode: got {got}; give mode='whole', or mode='slide' with crop_size=(H, W) and stride=(H, W)"
        )
    if test_cfg['mode'] == 'whole':
        return
    for name in ('crop_size', 'stride'):
        pair = test_cfg.get(name)
        if not (isinstance(pair, (list, tuple)) and len(pair) == 2 and all(type(n) is int and n > 0 for n in pair)):
            raise InputError(f"model.test_cfg.{name}: got {pair!r}; mode='slide' needs two numbers of pixels, (H, W)")
    if any(step > size for step, size in zip(test_cfg['stride'], test_cfg['crop_size'], strict=True)):
        raise InputError(
            f'model.test_cfg.stride: {tuple(test_cfg["stride"])} is larger than crop_size={tuple(test_cfg["crop_size"])}, so that '
            'pixels between the windows would never be seen: give a smaller one, such as two thirds of it'
        )


def _check_no_pretrained(model: Any, scope: str) -> None:
    """Refuse `model.pretrained`, which mmseg hands to the backbone as an argument that RepVGG does not have."""
    backbone = model.get('backbone')
    if not model.get('pretrained') or not isinstance(backbone, dict):
        return
    cls = find_class(backbone.get('type'), 'model.backbone.type', MODELS, backbone.get('_scope_') or scope)
    if isinstance(cls, type) and issubclass(cls, RepVGG):
        raise InputError(
            f'model.pretrained: got {model["pretrained"]!r}; RepVGG takes its weights by init_cfg: set model.pretrained=None and '
            f"model.backbone.init_cfg=dict(type='Pretrained', checkpoint={model['pretrained']!r})"
        )


def _check_iou_metrics(value: Any, path: str, scope: str) -> None:
    """The names that mmseg's IoUMetric knows, which it looks at when all images are predicted."""
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _check_iou_metrics(item, f'{path}.{i}', scope)
    elif isinstance(value, dict) and 'metrics' in value:
        _check_iou_metrics(value['metrics'], f'{path}.metrics', scope)
    elif isinstance(value, dict):
        cls = find_class(value.get('type'), f'{path}.type', METRICS, value.get('_scope_') or scope)
        wanted = value.get('iou_metrics') or []
        for name in [wanted] if isinstance(wanted, str) else wanted:
            if cls in (IoUMetric, StreetIoUMetric) and name not in _IOU_METRICS:
                raise InputError(
                    f'{path}.iou_metrics: no metric has the name {name!r}{closest_names(str(name), _IOU_METRICS)}; there are '
                    f'{", ".join(_IOU_METRICS)}'
                )


def _check_optimization(wrapper: Any, scope: str) -> None:
    if not isinstance(wrapper, dict):
        return
    clip = wrapper.get('clip_grad')
    if clip is not None:
        kind = clip.get('type', 'norm') if isinstance(clip, dict) else 'norm'
        if kind not in _CLIP:
            raise InputError(f'optim_wrapper.clip_grad.type: got {kind!r}; give norm or value')
        _check_clip(clip, kind)
    kind = wrapper.get('constructor', DefaultOptimWrapperConstructor)
    cls = find_class(kind, 'optim_wrapper.constructor', OPTIM_WRAPPER_CONSTRUCTORS, scope)
    if cls is DefaultOptimWrapperConstructor:
        paramwise = wrapper.get('paramwise_cfg') or {}
        if not isinstance(paramwise, dict):
            raise InputError(f'optim_wrapper.paramwise_cfg: got {reprlib.repr(paramwise)}; give a dict')
        custom_keys = paramwise.get('custom_keys') or {}
        if not isinstance(custom_keys, dict) or not all(
            isinstance(settings, dict) for settings in custom_keys.values()
        ):
            raise InputError(
                f'optim_wrapper.paramwise_cfg.custom_keys: got {reprlib.repr(custom_keys)}; give a dict by parts of the names of '
                'parameters, such as dict(decode_head=dict(lr_mult=10.0))'
            )
        for name, settings in custom_keys.items():
            for key in {*settings} - {'lr_mult', 'decay_mult'}:
                print_log(
                    f'optim_wrapper.paramwise_cfg.custom_keys.{name}.{key} changes nothing: mmengine reads lr_mult and decay_mult',
                    'current',
                    logging.WARNING,
                )


def _check_clip(clip: Any, kind: str) -> None:
    limit = dict(norm='max_norm', value='clip_value')[kind]
    parameters = inspect.signature(_CLIP[kind]).parameters
    settings = _check_keys(
        clip, 'optim_wrapper.clip_grad', [name for name in parameters if name != 'parameters'] + ['type']
    )
    if not isinstance(settings.get(limit), (int, float)) or settings[limit] <= 0:
        raise InputError(
            f'optim_wrapper.clip_grad: got {reprlib.repr(dict(settings))}; it needs {limit}, a number above 0, such as dict({limit}=35)'
        )
