"""Batch sizes that PSPNet cannot be trained with, refused before the first iteration."""

import logging
from collections.abc import Sized

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm
from torch.utils.data import DataLoader

from ...errors import InputError
from ..global_batch import recipe_batch


@HOOKS.register_module()
class BatchSizeHook(Hook):
    """Refuse a batch that BN cannot learn from; log a warning where the global batch is not the recipe's.

    The 1x1 bin of a pyramid, like the image pooling of an ASPP, has one value per channel and image, so the BN behind it
    needs two images in every batch, the last of an epoch included.

    Raises:
        InputError: a batch, or the last one of an epoch, would hold one image.
    """

    def before_train(self, runner: Runner) -> None:
        loader = runner.train_dataloader
        world_size = get_world_size()
        if loader.batch_size is None:
            return
        if _has_pooled_batch_norm(runner.model, world_size):
            _check_two_images(loader, loader.batch_size)
        recipe = recipe_batch(runner.cfg)
        actual = loader.batch_size * world_size
        if recipe and actual != recipe:
            scaled = runner.cfg.auto_scale_lr.get('enable')
            print_log(
                f'the global batch is {actual} ({world_size} x {loader.batch_size}), the recipe is for {recipe}: '
                + (
                    'the learning rate is scaled'
                    if scaled
                    else f'the learning rate stays; --auto-scale-lr scales it, --keep-global-batch shares out {recipe} images'
                ),
                'current',
                logging.WARNING,
            )


def _check_two_images(loader: DataLoader, batch_size: int) -> None:
    if batch_size == 1:
        raise InputError(
            'one image per GPU in training: the 1x1 bin of the pyramid has one value per channel and BN needs two; '
            'set --cfg-options train_dataloader.batch_size=2 (a smaller crop where memory is short), '
            "or train on several GPUs with norm_cfg type 'SyncBN'"
        )
    sampler = loader.sampler
    if isinstance(sampler, InfiniteSampler) or not isinstance(sampler, Sized) or loader.drop_last:
        return
    if len(sampler) % batch_size == 1:
        raise InputError(
            f'the last batch of an epoch would hold one image ({len(sampler)} in batches of {batch_size}), '
            'too few for BN behind the 1x1 bin of the pyramid: set --cfg-options train_dataloader.drop_last=True'
        )


def _has_pooled_batch_norm(model: nn.Module, world_size: int) -> bool:
    """Whether a BN, not synchronised between processes, follows a pooling to 1x1."""
    for module in model.modules():
        first = module[0] if isinstance(module, nn.Sequential) and len(module) else None
        if isinstance(first, nn.AdaptiveAvgPool2d) and first.output_size in (1, (1, 1)):
            norms = [m for m in module.modules() if isinstance(m, _BatchNorm)]
            if any(world_size == 1 or not isinstance(norm, SyncBatchNorm) for norm in norms):
                return True
    return False
