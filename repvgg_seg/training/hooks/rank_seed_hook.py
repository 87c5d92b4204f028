"""Random numbers that differ between the processes of a run."""

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class RankSeedHook(Hook):
    """Give torch another seed in every process but the first, after the networks are built alike.

    mmengine seeds all of them the same: dropout, mixup and AutoAugment would draw the same in each. (Its own
    `diff_rank_seed` costs the sampler its seed.) A single process is left as it is.
    """

    def before_train(self, runner) -> None:
        if get_rank() > 0:
            torch.manual_seed(runner.seed + get_rank())
