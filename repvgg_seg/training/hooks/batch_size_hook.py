"""Batch sizes that PSPNet cannot be trained with, refused before the first iteration."""

import logging

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..agreement.batches import check_batch_for_bn
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
        check_batch_for_bn(runner.model, loader, world_size)
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
