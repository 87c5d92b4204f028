"""Types and arguments of a config, checked against the registered classes before anything is built.

What is checked is what mmengine and mmseg are known to build. A part that somebody else's class builds, and an argument that
may go into a `**kwargs` which cannot be followed, are not judged: a config that works is never refused.
"""

import inspect
import reprlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import mmengine.registry as root
import mmseg.registry as mmseg
from mmcv.transforms import Compose, KeyMapper, RandomApply, RandomChoice, TestTimeAug, TransformBroadcaster
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.model import BaseModule
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Priority, Runner
from torch.utils.data import DataLoader

from ...data.checked_pipeline import is_foreign
from ...errors import InputError, closest_names, similar_names
from .class_arguments import Arguments, arguments_of
from .registered_class import find_class
from .value_check import check_value

ALWAYS = ('model', 'default_hooks', 'custom_hooks', 'visualizer', 'log_processor')
TRAINING = (*ALWAYS, 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')
VALIDATION = ('val_dataloader', 'val_cfg', 'val_evaluator')
TEST = (*ALWAYS, 'test_dataloader', 'test_cfg', 'test_evaluator')


@dataclass(frozen=True)
class Place:
    """How the dict at one place of a config is built.

    Attributes:
        registry: where its `type` is looked up.
        default: the `type` that the builder takes where the config names none; '' where it has to name one.
        given: arguments that the builder passes itself, which the config need not give.
        taken: keys that the builder takes out of the dict before the class sees them.
        all_given: whether nothing but the config and `given` provides arguments, so that a missing one can be told.
    """

    registry: Registry
    default: str | Callable = ''
    given: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    all_given: bool = True


_MODEL = Place(mmseg.MODELS)
_LAYER = Place(mmseg.MODELS, all_given=False)
_DATASET = Place(mmseg.DATASETS)
_TRANSFORM = Place(mmseg.TRANSFORMS)
_METRIC = Place(mmseg.METRICS)
_HOOK = Place(mmseg.HOOKS, taken=('priority',))
_LOOP = Place(mmseg.LOOPS, given=('runner', 'dataloader', 'evaluator'))

# Arguments that are built in turn, by the registry of the class that takes them.
_PARTS: dict[str, dict[str, Place]] = {
    'model': {
        **dict.fromkeys(
            (
                'backbone',
                'neck',
                'decode_head',
                'auxiliary_head',
                'loss_decode',
                'data_preprocessor',
                'backbone_cfg',
                'image_encoder',
                'text_encoder',
                'module',
            ),
            _MODEL,
        ),
        'norm_cfg': replace(_LAYER, taken=('requires_grad',)),
        'conv_cfg': _LAYER,
        'act_cfg': _LAYER,
        'init_cfg': Place(mmseg.WEIGHT_INITIALIZERS, taken=('override',), all_given=False),
        'sampler': Place(mmseg.TASK_UTILS, given=('context',)),
    },
    'dataset': {'dataset': _DATASET, 'datasets': _DATASET, 'pipeline': _TRANSFORM},
    'transform': {'transforms': _TRANSFORM},
    'evaluator': {'metrics': _METRIC},
    'visualizer': {'vis_backends': Place(mmseg.VISBACKENDS, given=('save_dir',), taken=('name',))},
}
_PARAMWISE = (
    'custom_keys',
    'bias_lr_mult',
    'bias_decay_mult',
    'norm_decay_mult',
    'flat_decay_mult',
    'dwconv_decay_mult',
    'dcn_offset_lr_mult',
    'bypass_duplicate',
)
_LISTS = ('custom_hooks', 'pipeline', 'vis_backends')  # of dicts, one dict alone is no value of theirs
_TRANSFORMS_OF_TRANSFORMS = (Compose, KeyMapper, TransformBroadcaster, RandomChoice, RandomApply, TestTimeAug)


def check_config(cfg: Config, parts: Iterable[str]) -> None:
    """Compare a config with the classes that it names.

    Args:
        cfg: the config as it was read.
        parts: its top-level keys that are going to be built: `TRAINING`, `VALIDATION`, `TEST`, or some names.

    Raises:
        InputError: a type that is not registered, an argument that its class does not take, or one that is missing; names
            the place in the config.
    """
    scope = cfg.get('default_scope') or 'mmseg'
    for key in parts:
        value = cfg.get(key)
        if key == 'default_hooks' and isinstance(value, (list, tuple)):
            raise InputError(
                f'{key}: got {reprlib.repr(value)}; give a dict of hooks by their names, such as dict(logger=dict(...))'
            )
        _refuse_one(value, key, key)
        if value is not None:
            _CHECKS[key](value, key, scope)


def _check_model(value: Any, path: str, scope: str) -> None:
    _check(value, path, _MODEL, scope)


def _check_tta_model(value: Any, path: str, scope: str) -> None:
    _check(value, path, replace(_MODEL, given=('module',)), scope)


def _check_hooks(value: Any, path: str, scope: str) -> None:
    _refuse_scalar(value, path)
    for key, hook in value.items() if isinstance(value, dict) else enumerate(value):
        _check(hook, f'{path}.{key}', _HOOK, scope)
        if isinstance(hook, dict):
            _check_priority(hook.get('priority', 'NORMAL'), f'{path}.{key}.priority')


def _check_priority(value: Any, path: str) -> None:
    names = Priority.__members__
    known = value.upper() in names if isinstance(value, str) else isinstance(value, int) and 0 <= value <= 100
    if not known and not isinstance(value, Priority):
        raise InputError(f'{path}: got {value!r}; give one of {", ".join(names)} or a number from 0 to 100')


def _check_visualizer(value: Any, path: str, scope: str) -> None:
    _check(value, path, Place(mmseg.VISUALIZERS, given=('name', 'save_dir')), scope)


def _check_log_processor(value: Any, path: str, scope: str) -> None:
    _check(value, path, Place(mmseg.LOG_PROCESSORS, default='LogProcessor'), scope)


def _check_train_loop(value: Any, path: str, scope: str) -> None:
    by_epoch = isinstance(value, dict) and value.get('by_epoch')
    if isinstance(value, dict) and ('by_epoch' in value) == ('type' in value):
        raise InputError(
            f'{path}: give either type (such as IterBasedTrainLoop) or by_epoch, got {reprlib.repr(dict(value))}'
        )
    loop = EpochBasedTrainLoop if by_epoch else IterBasedTrainLoop
    _check(value, path, replace(_LOOP, default=loop, taken=('by_epoch',)), scope)


def _check_val_loop(value: Any, path: str, scope: str) -> None:
    _check(value, path, replace(_LOOP, default='ValLoop'), scope)


def _check_test_loop(value: Any, path: str, scope: str) -> None:
    _check(value, path, replace(_LOOP, default='TestLoop'), scope)


def _check_evaluator(value: Any, path: str, scope: str) -> None:
    whole = isinstance(value, dict) and 'metrics' in value
    _check(value, path, Place(mmseg.EVALUATOR, default='Evaluator') if whole else _METRIC, scope)


def _check_dataloader(value: Any, path: str, scope: str) -> None:
    """The arguments of torch's DataLoader, and what mmengine's `Runner.build_dataloader` builds for it."""
    _refuse_scalar(value, path)
    if not isinstance(value, dict):
        return
    own = ('num_batch_per_epoch', 'disable_subprocess_warning')
    _check_arguments(value, path, DataLoader, Place(root.FUNCTIONS, taken=own))
    if 'sampler' not in value:
        raise InputError(f'{path}: a data loader needs a sampler, which the config does not give: set {path}.sampler')
    sampler = Place(mmseg.DATA_SAMPLERS, given=('dataset', 'seed'))
    _check(value['dataset'], f'{path}.dataset', _DATASET, scope)
    _check(value['sampler'], f'{path}.sampler', sampler, scope)
    _check(
        value.get('batch_sampler'), f'{path}.batch_sampler', replace(sampler, given=('sampler', 'batch_size')), scope
    )
    for key in ('collate_fn', 'worker_init_fn'):
        _check(value.get(key), f'{path}.{key}', Place(root.FUNCTIONS, all_given=False), scope)


def _check_optim_wrapper(value: Any, path: str, scope: str) -> None:
    """The optimizer and its wrapper, where mmengine's constructor or one derived from it builds them."""
    _refuse_scalar(value, path)
    if not isinstance(value, dict):
        return
    _refuse_scalar(value.get('optimizer'), f'{path}.optimizer')
    if not isinstance(value.get('optimizer'), dict):
        return
    kind = value.get('constructor', DefaultOptimWrapperConstructor)
    constructor = find_class(kind, f'{path}.constructor', mmseg.OPTIM_WRAPPER_CONSTRUCTORS, scope)
    if not (isinstance(constructor, type) and issubclass(constructor, DefaultOptimWrapperConstructor)):
        return
    if constructor is DefaultOptimWrapperConstructor:
        _check_paramwise(value.get('paramwise_cfg'), f'{path}.paramwise_cfg')
    wrapper = Place(mmseg.OPTIM_WRAPPERS, 'OptimWrapper', ('optimizer',), ('constructor', 'paramwise_cfg'))
    _check(value, path, wrapper, scope)
    _check(value['optimizer'], f'{path}.optimizer', Place(mmseg.OPTIMIZERS, given=('params', 'model_params')), scope)


def _check_paramwise(value: Any, path: str) -> None:
    """The keys that mmengine's constructor reads; it ignores any other."""
    for key in value if isinstance(value, dict) else ():
        if key not in _PARAMWISE:
            raise InputError(
                f'{path}.{key}: the optimizer has no setting of this name{closest_names(key, _PARAMWISE)}; the names: '
                f'{", ".join(_PARAMWISE)}'
            )


def _check_schedulers(value: Any, path: str, scope: str) -> None:
    if isinstance(value, dict) and 'type' not in value:  # one or more for each of several optimizers
        for key, schedulers in value.items():
            _check_schedulers(schedulers, f'{path}.{key}', scope)
        return
    taken = ('convert_to_iter_based', 'epoch_length')
    _check(value, path, Place(mmseg.PARAM_SCHEDULERS, given=('optimizer', 'end'), taken=taken), scope)


_CHECKS: dict[str, Callable[[Any, str, str], None]] = {
    'model': _check_model,
    'tta_model': _check_tta_model,
    'default_hooks': _check_hooks,
    'custom_hooks': _check_hooks,
    'visualizer': _check_visualizer,
    'log_processor': _check_log_processor,
    'train_cfg': _check_train_loop,
    'val_cfg': _check_val_loop,
    'test_cfg': _check_test_loop,
    'train_dataloader': _check_dataloader,
    'val_dataloader': _check_dataloader,
    'test_dataloader': _check_dataloader,
    'val_evaluator': _check_evaluator,
    'test_evaluator': _check_evaluator,
    'optim_wrapper': _check_optim_wrapper,
    'param_scheduler': _check_schedulers,
}


def _check(value: Any, path: str, place: Place, scope: str) -> None:
    """Check a dict, or every dict of nested lists, and the parts that are built from its arguments."""
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _check(item, f'{path}.{i}', place, scope)
        return
    if not (value is False and not place.all_given):  # mmengine takes init_cfg=False for None
        _refuse_scalar(value, path)
    if not isinstance(value, dict):
        return
    scope = value.get('_scope_') or scope
    kind = value.get('type', place.default)
    if kind == '' and not place.all_given:
        return
    if kind == '':
        raise InputError(f'{path}: a dict without type: name the {place.registry.name} to build as {path}.type')
    cls = find_class(kind, f'{path}.type', place.registry, scope)
    arguments = _check_arguments(value, path, cls, place)
    for key, part in _parts_of(cls, arguments, place.registry.name):
        _refuse_one(value.get(key), f'{path}.{key}', key)
        _check(value.get(key), f'{path}.{key}', part, scope)


def _refuse_one(value: Any, path: str, key: str) -> None:
    """Refuse a dict in the place of a list of dicts."""
    if key in _LISTS and isinstance(value, dict):
        raise InputError(f'{path}: got {reprlib.repr(dict(value))}; give a list of dicts')


def _refuse_scalar(value: Any, path: str) -> None:
    """Refuse text and numbers in the place of a dict; built objects and None are the builder's to judge."""
    if isinstance(value, (str, int, float)) and not isinstance(value, type):
        example = f'dict(type={value!r}, ...)' if isinstance(value, str) else 'dict(type=..., ...)'
        raise InputError(f'{path}: got {value!r}; give a dict, such as {example}')


def _parts_of(cls: Callable, arguments: Arguments, kind: str) -> Iterator[tuple[str, Place]]:
    """The arguments of a class that are built in a known way, with how they are."""
    for key, place in _PARTS.get(kind, {}).items():
        owner = arguments.owners.get(key)
        if is_foreign(owner):
            continue
        if key == 'transforms' and owner not in _TRANSFORMS_OF_TRANSFORMS:  # Albu's are albumentations' own
            continue
        # Backbones with an `init_weights` of their own read init_cfg in their own way.
        if key == 'init_cfg' and getattr(cls, 'init_weights', None) is not BaseModule.init_weights:
            continue
        yield key, place


def _check_arguments(value: dict, path: str, cls: Callable, place: Place) -> Arguments:
    """Compare the keys of a dict with the arguments of its class, which are returned.

    Raises:
        InputError: an argument that the class does not take, or one that is missing.
    """
    arguments = arguments_of(cls)
    name = getattr(cls, '__name__', str(cls))
    known = [*arguments.owners, *place.taken, 'type', '_scope_']
    for key in value:
        if key in arguments.owners:
            check_value(value[key], f'{path}.{key}', cls, key)
        elif key not in known and key not in place.given and not _may_take(cls, arguments, key):
            free = [argument for argument in arguments.owners if argument not in place.given]
            takes = ', '.join(free) if free else 'none'
            raise InputError(
                f'{path}.{key}: {name} takes no argument of this name (got {reprlib.repr(value[key])})'
                f'{closest_names(key, known)}; its arguments: {takes}'
            )
    if place.all_given:
        missing = [argument for argument in arguments.required if argument not in (*value, *place.given)]
        if missing:
            settings = ', '.join(f'{path}.{argument}' for argument in missing)
            raise InputError(
                f'{path}: {name} needs {", ".join(missing)}, which the config does not give: set {settings}'
            )
    return arguments


def _may_take(cls: Callable, arguments: Arguments, key: str) -> bool:
    """Whether a class may take an argument that it does not declare, by its `**kwargs`.

    An argument that is a letter or two off a declared one is a slip in a class of these
    packages, and whatever `CheckpointHook` does not know would stop the run when the first checkpoint is written.
    """
    if not arguments.takes_others:
        return False
    if is_foreign(cls):
        return True
    if cls is CheckpointHook:
        return key in inspect.signature(Runner.save_checkpoint).parameters
    return not similar_names(key, arguments.owners, cutoff=0.9)
