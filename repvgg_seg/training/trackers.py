"""Experiment trackers: `--tracker` of tools/train.py adds backends of mmengine to the visualizer of a run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmseg.registry import VISBACKENDS

from ..errors import InputError
from .config.registered_class import find_class
from .config.visualizer_packages import missing_package

# The names for the command line, and mmengine's backends. They write below the work dir where they write files.
TRACKERS: dict[str, dict[str, Any]] = {
    'tensorboard': dict(type='TensorboardVisBackend'),
    'wandb': dict(type='WandbVisBackend'),
    'mlflow': dict(type='MLflowVisBackend'),
    'clearml': dict(type='ClearMLVisBackend'),
    'neptune': dict(type='NeptuneVisBackend'),
    'dvclive': dict(type='DVCLiveVisBackend'),
    'aim': dict(type='AimVisBackend'),
}


def add_trackers(cfg: Config, names: Sequence[str]) -> None:
    """Add the backends of trackers to the visualizer of a config; one that it has already stays as it is.

    Args:
        cfg: with its visualizer and its work dir; changed in place.
        names: some of `TRACKERS`.

    Raises:
        InputError: the package of a tracker is not installed, or this mmengine has no such tracker.
    """
    scope = cfg.get('default_scope') or 'mmseg'
    given = cfg.visualizer.get('vis_backends') or []
    backends = [given] if isinstance(given, dict) else list(given)
    backends = backends or [dict(type='LocalVisBackend')]  # its scalars are what tools/report.py reads
    for name in dict.fromkeys(names):
        added = dict(TRACKERS[name])
        cls = VISBACKENDS.get(added['type'])
        if cls is None:
            raise InputError(f'--tracker {name}: this version of mmengine has no {added["type"]}; leave it out')
        if package := missing_package(cls):
            raise InputError(
                f'--tracker {name} needs a package that is not installed: pip install {package}, or leave it out'
            )
        kinds = [find_class(backend['type'], 'visualizer.vis_backends', VISBACKENDS, scope) for backend in backends]
        if not any(isinstance(kind, type) and issubclass(kind, cls) for kind in kinds):
            backends.append(added | _files_in(name, cfg.work_dir))
    cfg.visualizer = dict(cfg.visualizer, vis_backends=backends)


def _files_in(name: str, work_dir: str) -> dict[str, Any]:
    """The arguments that keep the files of a tracker below the work dir, for those whose backend puts them elsewhere."""
    if name == 'aim':
        return dict(init_kwargs=dict(repo=work_dir))
    if name == 'mlflow' and 'MLFLOW_TRACKING_URI' in os.environ:
        return dict(tracking_uri=os.environ['MLFLOW_TRACKING_URI'])  # mmengine would set its own
    if name == 'mlflow':
        # Version 3 refuses the folder of files that mmengine names, and puts artifacts into the current folder.
        place = Path(work_dir).resolve()
        return dict(
            tracking_uri=f'sqlite:///{(place / "mlflow.db").as_posix()}',
            exp_name=place.name,
            artifact_location=(place / 'mlflow_artifacts').as_uri(),
            artifact_suffix=(),  # mmengine would copy all of the work dir below itself
        )
    if name == 'dvclive':  # it makes a commit of the repository around it otherwise
        return dict(init_kwargs=dict(save_dvc_exp=False))
    return {}
