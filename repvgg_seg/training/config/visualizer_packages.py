"""Packages that the backends of a visualizer need, missed at the start and not when the first scalar is written."""

from importlib.util import find_spec
from typing import Any

from mmengine.config import Config
from mmseg.registry import VISBACKENDS

from ...errors import InputError
from .registered_class import find_class

# The modules that mmengine's backends import, and what pip installs for them.
_PACKAGES = {
    'TensorboardVisBackend': (('tensorboard',), 'tensorboard'),
    'WandbVisBackend': (('wandb',), 'wandb'),
    'MLflowVisBackend': (('mlflow',), 'mlflow'),
    'ClearMLVisBackend': (('clearml',), 'clearml'),
    'NeptuneVisBackend': (('neptune',), 'neptune'),
    'DVCLiveVisBackend': (('pygit2', 'dvclive'), 'pygit2 dvclive'),
    'AimVisBackend': (('aim',), 'aim'),
}


def check_visualizer_packages(cfg: Config) -> None:
    """Refuse a backend whose package is not installed.

    Raises:
        InputError: a package is missing; says how it is installed.
    """
    backends = (cfg.get('visualizer') or {}).get('vis_backends') or []
    for i, backend in enumerate(backends):
        path = f'visualizer.vis_backends.{i}'
        cls = find_class(backend['type'], f'{path}.type', VISBACKENDS, cfg.get('default_scope') or 'mmseg')
        if package := missing_package(cls):
            raise InputError(
                f'{path}: {cls.__name__} needs a package that is not installed: pip install {package}, or leave it out'
            )


def missing_package(cls: Any) -> str | None:
    """What pip has to install for a backend, by its class; None where nothing is missing."""
    for base in getattr(cls, '__mro__', ()):
        modules, package = _PACKAGES.get(base.__name__, ((), ''))
        if any(find_spec(module) is None for module in modules):
            return package
    return None
