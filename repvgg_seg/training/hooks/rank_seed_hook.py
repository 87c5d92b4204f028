"""Random numbers that differ between the processes of a run."""

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class RankSeedHook(Hook):
    """Give torch another seed in every process but the first, after the networks are built alike.

    mmengine gives all processes the same seed, so dropout, mixup and AutoAugment would draw the same numbers in each. Its
    option `diff_rank_seed` is no way out: it takes the seed from the sampler. A single process is left as it is.
    """

    def before_train(self, runner: Runner) -> None:
        if get_rank() > 0:
            torch.manual_seed(runner.seed + get_rank())
