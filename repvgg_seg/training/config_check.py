"""Types and arguments of a config, checked against the registered classes before anything is built.

What is checked is what mmengine and mmseg are known to build. A part that somebody else's class builds, and an argument that
may go into a `**kwargs` which cannot be followed, are not judged: a config that works is never refused.
"""

import reprlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import mmengine.registry as root
import mmseg.registry as mmseg
from mmcv.transforms import Compose, KeyMapper, RandomApply, RandomChoice, TestTimeAug, TransformBroadcaster
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import DataLoader

from ..errors import InputError, closest_names
from .class_arguments import Arguments, arguments_of
from .registered_class import find_class

ALWAYS = ('model', 'default_hooks', 'custom_hooks', 'visualizer', 'log_processor')
TRAINING = (*ALWAYS, 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')
VALIDATION = ('val_dataloader', 'val_cfg', 'val_evaluator')
TEST = (*ALWAYS, 'test_dataloader', 'test_cfg', 'test_evaluator')

# The packages whose classes build their norm_cfg, pipeline, loss_decode, ... in the ways of the table `_PARTS`.
_KNOWN_PACKAGES = ('mmengine', 'mmcv', 'mmseg', 'repvgg_seg')


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
        if isinstance(value, (dict, list, tuple)):
            _CHECKS[key](value, key, scope)


def _check_model(value: Any, path: str, scope: str) -> None:
    _check(value, path, _MODEL, scope)


def _check_tta_model(value: Any, path: str, scope: str) -> None:
    _check(value, path, replace(_MODEL, given=('module',)), scope)


def _check_hooks(value: Any, path: str, scope: str) -> None:
    for key, hook in value.items() if isinstance(value, dict) else enumerate(value):
        _check(hook, f'{path}.{key}', _HOOK, scope)


def _check_visualizer(value: Any, path: str, scope: str) -> None:
    _check(value, path, Place(mmseg.VISUALIZERS, given=('name', 'save_dir')), scope)


def _check_log_processor(value: Any, path: str, scope: str) -> None:
    _check(value, path, Place(mmseg.LOG_PROCESSORS, default='LogProcessor'), scope)


def _check_train_loop(value: Any, path: str, scope: str) -> None:
    by_epoch = isinstance(value, dict) and value.get('by_epoch')
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
    if not isinstance(value, dict) or not isinstance(value.get('optimizer'), dict):
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
        _check(value.get(key), f'{path}.{key}', part, scope)


def _parts_of(cls: Callable, arguments: Arguments, kind: str) -> Iterator[tuple[str, Place]]:
    """The arguments of a class that are built in a known way, with how they are."""
    for key, place in _PARTS.get(kind, {}).items():
        owner = arguments.owners.get(key)
        if getattr(owner, '__module__', '').split('.')[0] not in _KNOWN_PACKAGES:
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
        if key not in known and key not in place.given and not arguments.takes_others:
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
