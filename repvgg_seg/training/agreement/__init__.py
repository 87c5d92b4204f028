"""Settings that have to agree with each other, compared before the first iteration; a file each pair.

The functions work on what the Runner has built. They raise `InputError` for what is wrong for certain and log a warning for
what may be meant.
"""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from .batches import check_sampler
from .channels import check_channels
from .classes import check_number_of_classes, check_same_classes
from .ignored_label import check_ignored_label_in_scores, check_ignored_label_in_training
from .image_sizes import check_crop_and_padding
from .losses import check_losses
from .schedule import check_intervals, check_schedule
from .segmentor_parts import metainfo_of


def compare_for_training(runner: Runner) -> None:
    """Compare the settings of a training, but for those that `CheckHeadsHook` and `BatchSizeHook` compare.

    Raises:
        InputError: two of them do not go together; names both.
    """
    model, loader = runner.model, runner.train_dataloader
    check_losses(model)
    check_ignored_label_in_training(model, loader.dataset)
    check_crop_and_padding(model, loader.dataset)
    check_sampler(runner.train_loop, loader, 'train_dataloader')
    check_schedule(runner.train_loop, runner.param_schedulers)
    hooks: list[Hook] = runner.hooks
    check_intervals(runner.train_loop, hooks, validates=runner.val_loop is not None)
    if runner.val_loop is not None:
        validated = runner.val_dataloader
        check_sampler(runner.val_loop, validated, 'val_dataloader')
        check_ignored_label_in_scores(model, validated.dataset, runner.val_evaluator, 'val_evaluator')


def compare_heads(runner: Runner) -> None:
    """Compare the heads with the channels that they get and with the classes of the data sets.

    Raises:
        InputError: they do not fit; the message says which setting has to change to what.
    """
    trained = runner.train_dataloader.dataset
    check_number_of_classes(runner.model, trained)
    check_channels(runner.model)
    if runner.val_loop is not None:
        validated = runner.val_dataloader.dataset
        check_same_classes(metainfo_of(trained), metainfo_of(validated))  # first: the heads fit the training set
        check_number_of_classes(runner.model, validated, 'the validation set')


def compare_for_test(runner: Runner) -> None:
    """Compare the settings of a test, but for those that `CheckHeadsHook` compares.

    Raises:
        InputError: two of them do not go together; names both.
    """
    loader = runner.test_dataloader
    check_sampler(runner.test_loop, loader, 'test_dataloader')
    check_ignored_label_in_scores(runner.model, loader.dataset, runner.test_evaluator, 'test_evaluator')
