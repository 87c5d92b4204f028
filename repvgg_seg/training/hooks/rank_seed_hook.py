"""Random numbers that differ between processes and iterations, and that a resumed run draws again."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...random_states import seed_of


@HOOKS.register_module()
class RankSeedHook(Hook):
    """Seed Python, numpy and torch before every iteration, from the seed of the run, the process and the iteration.

    mmengine gives all processes the same seed, so dropout, mixup and AutoAugment would draw the same numbers in each. Its
    option `diff_rank_seed` is no way out: it takes the seed from the sampler. Since the numbers depend on nothing else, a run
    that goes on from a checkpoint draws those that it would have drawn without the break.
    """

    priority = 'VERY_HIGH'  # before hooks that draw

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        seed = seed_of('iteration', runner.seed, get_rank(), runner.iter)
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
