"""Heads that do not fit their backbone or data set, refused before the first batch."""

from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn

from ...errors import InputError, listed
from ...models import RepVGG, RepVGGClassifier
from ...models.model_wrappers import unwrap_model


@HOOKS.register_module()
class CheckHeadsHook(Hook):
    """Compare the heads with the channels of the backbone and the classes of the data set.

    A class that the head does not know would be an index out of range in the loss; on a GPU that is a failed assertion
    that names no cause.

    Raises:
        InputError: they do not fit; the message says which setting has to change to what.
    """

    def before_train(self, runner: Runner) -> None:
        trained = runner.train_dataloader.dataset
        _check(runner.model, trained)
        if runner.val_loop is not None:
            validated = runner.val_dataloader.dataset
            _check(runner.model, validated)
            _check_same_classes(trained.metainfo, validated.metainfo)

    def before_test(self, runner: Runner) -> None:
        _check(runner.model, runner.test_dataloader.dataset)


def _check_same_classes(trained: dict, validated: dict) -> None:
    """Refuse other names or another order of them, where both sets have names."""
    named = trained.get('classes_complete', True) and validated.get('classes_complete', True)
    if named and tuple(trained['classes']) != tuple(validated['classes']):
        differing = sorted(set(trained['classes']) ^ set(validated['classes'])) or trained['classes']
        raise InputError(
            f'training and validation set do not have the same classes: they differ in {listed(differing)}; '
            'name all classes to both by `classes`'
        )


def _check(model: nn.Module, dataset: BaseDataset) -> None:
    model = unwrap_model(model)
    classes = len(dataset.metainfo['classes'])
    if isinstance(model, RepVGGClassifier):
        _check_classifier(model.linear.out_features, classes, dataset.metainfo.get('classes_complete', True))
    backbone = getattr(model, 'backbone', None)
    for name in ('decode_head', 'auxiliary_head'):
        head = getattr(model, name, None)
        if not isinstance(head, BaseDecodeHead):
            continue
        if head.num_classes != classes:
            raise InputError(
                f'the data set has {classes} classes, {name}.num_classes is {head.num_classes}: '
                f'set --cfg-options model.{name}.num_classes={classes}'
            )
        if not isinstance(backbone, RepVGG) or not isinstance(head.in_index, int) or model.with_neck:
            continue
        channels = backbone.out_channels[head.in_index]
        if head.in_channels != channels:
            raise InputError(
                f'the backbone gives {channels} channels at index {head.in_index}, {name}.in_channels is '
                f'{head.in_channels}: set --cfg-options model.{name}.in_channels={channels}'
            )


def _check_classifier(known: int, classes: int, complete: bool) -> None:
    if classes > known or (complete and classes < known):
        raise InputError(
            f'the data set has {classes} classes, model.num_classes is {known}: '
            f'set --cfg-options model.num_classes={classes}, or name all classes to the data set by `classes`'
        )
