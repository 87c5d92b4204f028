"""Batches of the training set of a config, for what is measured on them outside of a run."""

import copy
import itertools
import math
from typing import Any

from mmengine.config import Config
from mmengine.runner.utils import set_random_seed

from ..errors import InputError
from .config.config_check import check_config
from .data_loaders import check_whole_batch, fit_loaders
from .data_set_errors import why_not_built
from .one_line_error import told_in_one_line
from .runner import QuietRunner


def training_batches(cfg: Config, images: int, seed: int = 0) -> list[dict[str, Any]]:
    """Batches as a training of the config would have them, augmented, and the same in every call.

    Args:
        cfg: the config, which stays as it is.
        images: at least so many, as far as an epoch has them.
        seed: of the random generators, which are set.

    Raises:
        InputError: the config has no training set, it cannot be built, or its images cannot be read.
    """
    if not cfg.get('train_dataloader'):
        raise InputError('the config has no train_dataloader, on whose images channels are measured: name one that has')
    cfg = Config(dict(train_dataloader=copy.deepcopy(cfg.train_dataloader), default_scope=cfg.get('default_scope')))
    check_config(cfg, ['train_dataloader'])
    cfg.train_dataloader.num_workers = 0  # all random numbers are then those of this process
    fit_loaders(cfg)
    set_random_seed(seed)
    try:
        loader = QuietRunner.build_dataloader(cfg.train_dataloader, seed=seed)
    except InputError:
        raise
    except Exception as error:
        raise InputError(why_not_built(cfg.train_dataloader, 'train', error)) from error
    check_whole_batch(loader)
    number = math.ceil(images / (loader.batch_size or 1))
    try:
        return list(itertools.islice(loader, number))
    except InputError:
        raise
    except Exception as error:  # somebody else's transform may raise anything
        raise told_in_one_line(error, 'reading images of the training set') from error
