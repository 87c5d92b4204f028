"""The global batch that a recipe is for, and the two ways to train with another number of processes."""

from mmengine.config import Config

from ..errors import InputError
from .distributed import number_of_processes


def recipe_batch(cfg: Config) -> int | None:
    """Images in the global batch that a config's recipe is for; None where the config does not say."""
    return (cfg.get('auto_scale_lr') or {}).get('base_batch_size')


def keep_global_batch(cfg: Config) -> None:
    """Set the batch of each process so that all together have the global batch of the recipe.

    Raises:
        InputError: the config has no recipe's batch, or the processes cannot share it evenly.
    """
    recipe = _required(cfg, '--keep-global-batch')
    processes = number_of_processes(cfg)
    if recipe % processes:
        raise InputError(f'--keep-global-batch: {processes} processes cannot share {recipe} images evenly')
    cfg.train_dataloader.batch_size = recipe // processes


def scale_learning_rate(cfg: Config) -> None:
    """Let mmengine scale the learning rate by the global batch over that of the recipe.

    Raises:
        InputError: the config has no recipe's batch.
    """
    _required(cfg, '--auto-scale-lr')
    cfg.auto_scale_lr.enable = True


def _required(cfg: Config, option: str) -> int:
    recipe = recipe_batch(cfg)
    if not recipe:
        raise InputError(f'{option}: the config has no auto_scale_lr=dict(base_batch_size=...)')
    return recipe
