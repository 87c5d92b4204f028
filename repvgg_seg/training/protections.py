"""What protects a run: hooks and checks that our tools add wherever a config lacks them, and the setting that takes one out.

A list in a config replaces that of its base, so a `custom_hooks` of one's own would drop them without a word.
"""

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.registry import HOOKS

from ..errors import InputError, closest_names
from .config.registered_class import find_class

DISABLED = 'disabled_protections'  # the top-level key of a config that names those to leave out

# Hooks, in the order in which they run among those of the same priority, with what a run lacks without them.
HOOKS_OF_A_RUN = {
    'SwitchToDeployHook': 'the training form is evaluated, not the fused one',
    'LoadWeightsHook': '`load_from` reads no weights of the official code, timm or mmpretrain, and may skip tensors',
    'CheckHeadsHook': 'heads are not compared with the backbone and the classes of the data sets',
    'BatchSizeHook': 'a batch that BN cannot learn from is not refused',
    'ParamwiseHook': 'a schedule with a floor moves parameters whose learning rate is 0',
    'RankSeedHook': 'all processes augment with the same random numbers, and a resumed run with others than without the break',
    'FiniteLossHook': 'a run goes on from a loss of NaN, and saves weights of NaN',
    'SyncBuffersHook': 'each process evaluates BN statistics of its own',
    'TooLargeImagesHook': 'an image that does not fit in memory ends a validation or test',
}
# What other modules add to the built objects, asked for with `is_disabled`.
PROTECTIONS = HOOKS_OF_A_RUN | {'CheckAnnotations': 'labels that are no class are not found before the loss'}

# The default hooks that a run can do without, with what it lacks then.
_DEFAULT_HOOKS = {
    'runtime_info': 'the log has no epochs, iterations and learning rates',
    'timer': 'the log has no times',
    'sampler_seed': 'the images of several processes come in the same order in every epoch',
    'logger': 'no losses and no scores are logged',
    'param_scheduler': 'the learning rate stays where it starts',
    'checkpoint': 'no checkpoint is written',
}


def is_disabled(cfg: Config, name: str) -> bool:
    """Whether a config takes a protection out, by its name in `PROTECTIONS`."""
    return name in _disabled(cfg)


def add_protections(cfg: Config, training: bool) -> None:
    """Add what a config lacks: the hooks above, in front of its own, a scope and a visualizer. What it takes out is logged.

    A hook of the config, with arguments of its own or of a subclass, stays as it is.

    Args:
        cfg: changed in place.
        training: whether the run trains, for what is logged.

    Raises:
        InputError: `disabled_protections` is no list of names, or holds one that is none.
    """
    disabled = _disabled(cfg)
    for name in disabled:
        if name not in PROTECTIONS:
            raise InputError(
                f'{DISABLED}: no protection has the name {name!r}{closest_names(name, PROTECTIONS)}; '
                f'the names: {", ".join(PROTECTIONS)}'
            )
    own = list(cfg.get('custom_hooks') or [])
    missing = [name for name in HOOKS_OF_A_RUN if name not in disabled and next(hooks_of(own, name), None) is None]
    kept = [hook for hook in own if all(next(hooks_of([hook], name), None) is None for name in disabled)]
    cfg.custom_hooks = [*(dict(type=name) for name in missing), *kept]
    if missing:
        print_log(f"the config's custom_hooks lack {', '.join(missing)}, added; {DISABLED} leaves one out", 'current')
    for name in disabled:
        print_log(f'{DISABLED}: without {name}, {PROTECTIONS[name]}', 'current', logging.WARNING)
    _settle_default_hooks(cfg, training)
    # mmengine's own defaults know neither the classes of mmseg nor how to draw a segmentation.
    cfg.default_scope = cfg.get('default_scope') or 'mmseg'
    cfg.visualizer = cfg.get('visualizer') or dict(
        type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer'
    )


def hooks_of(hooks: list[Any], name: str) -> Iterator[dict]:
    """The hooks of a list that are of this registered class or of a subclass."""
    wanted = HOOKS.get(name)
    for hook in hooks:
        if isinstance(hook, dict) and 'type' in hook:
            cls = find_class(hook['type'], 'custom_hooks', HOOKS, hook.get('_scope_') or 'mmseg')
            if isinstance(cls, type) and issubclass(cls, wanted):
                yield hook


def _disabled(cfg: Config) -> list[str]:
    names = cfg.get(DISABLED) or []
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{DISABLED}: got {names!r}; give a list of names, such as ['SwitchToDeployHook']")
    return list(names)


def _settle_default_hooks(cfg: Config, training: bool) -> None:
    """Say what a run lacks by a default hook of None, and drop a None that mmengine has no default for, where it would stop."""
    cfg.default_hooks = cfg.get('default_hooks') or {}
    for name in [name for name, hook in cfg.default_hooks.items() if hook is None]:
        if name not in _DEFAULT_HOOKS:
            del cfg.default_hooks[name]
        elif training:
            print_log(f'default_hooks.{name} is None: {_DEFAULT_HOOKS[name]}', 'current', logging.WARNING)
