"""What a wrong batch size does to PSPNet, said before the first iteration."""

import logging

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from torch import nn
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm

from ...errors import InputError


@HOOKS.register_module()
class BatchSizeHook(Hook):
    """Refuse a batch that BN cannot learn from; say where the global batch is not the recipe's.

    The 1x1 bin of a pyramid (or the image pool of an ASPP) has one value per channel and image, so that BN needs
    two images in every batch, the last of an epoch included.

    Raises:
        InputError: before training.
    """

    def before_train(self, runner) -> None:
        loader = runner.train_dataloader
        world_size = get_world_size()
        if loader.batch_size is None:
            return
        if _has_pooled_batch_norm(runner.model, world_size):
            _check_two_images(loader)
        recipe = (runner.cfg.get('auto_scale_lr') or {}).get('base_batch_size')
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


def check_whole_batch(loader) -> None:
    """Raise `InputError` where an epoch has no whole batch, and parts of one are dropped."""
    if len(loader) == 0 and not isinstance(loader.sampler, InfiniteSampler):
        raise InputError(
            f'{len(loader.sampler)} images for each process make no batch of {loader.batch_size}: '
            'set a smaller --cfg-options train_dataloader.batch_size=N, or name a data set with more images'
        )


def _check_two_images(loader) -> None:
    if loader.batch_size == 1:
        raise InputError(
            'one image per GPU in training: the 1x1 bin of the pyramid has one value per channel and BN needs two; '
            'set --cfg-options train_dataloader.batch_size=2 (a smaller crop where memory is short), '
            "or train on several GPUs with norm_cfg type 'SyncBN'"
        )
    endless = isinstance(loader.sampler, InfiniteSampler)
    if not endless and not loader.drop_last and len(loader.sampler) % loader.batch_size == 1:
        raise InputError(
            f'the last batch of an epoch would hold one image ({len(loader.sampler)} in batches of {loader.batch_size}), '
            'too few for BN behind the 1x1 bin of the pyramid: set --cfg-options train_dataloader.drop_last=True'
        )


def _has_pooled_batch_norm(model: nn.Module, world_size: int) -> bool:
    """Whether a BN, not synchronised between processes, follows a pooling to 1x1."""
    for module in model.modules():
        pooled = isinstance(module, nn.Sequential) and len(module) and isinstance(module[0], nn.AdaptiveAvgPool2d)
        if pooled and module[0].output_size in (1, (1, 1)):
            norms = [m for m in module.modules() if isinstance(m, _BatchNorm)]
            if any(world_size == 1 or not isinstance(norm, SyncBatchNorm) for norm in norms):
                return True
    return False
