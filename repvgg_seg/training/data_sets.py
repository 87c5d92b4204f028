"""The data sets of a run, built before it starts, so that their pipelines run with checks and what they hold is logged.

They are built before the loops: a loop may start the workers, which have copies of the data sets.
"""

from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from ..data.checked_pipeline import Checks, check_pipeline, remove_label_checks
from ..data.class_names import fault_of_classes
from ..data.data_set_report import report_data_sets
from ..data.label_checks import ignored_labels
from ..data.wrapped_datasets import inner_datasets, is_segmentation, with_wrappers, wrapped_by
from ..errors import InputError
from ..models.model_wrappers import inner_model
from .agreement.segmentor_parts import heads_of
from .data_loaders import check_shared
from .data_set_errors import why_not_built
from .hooks.classes_seen_hook import ClassesSeenHook
from .protections import is_disabled


def prepare_data_sets(runner: Runner, training: bool) -> None:
    """Build the data sets of a run, and look at what they hold: `build_data_sets`, then `look_at_data_sets`."""
    look_at_data_sets(runner, build_data_sets(runner, training))


def build_data_sets(runner: Runner, training: bool) -> dict[str, DataLoader]:
    """Build the loaders of a run, and let their pipelines run with checks.

    Labels are checked wherever a pipeline loads them, unless the config has CheckAnnotations among its
    `disabled_protections`.

    Args:
        runner: its loaders are built; nothing else of it changes, random states included.
        training: whether it is going to train, or to test.

    Returns:
        The loaders by the part of the run that reads them: train and val, or test.

    Raises:
        InputError: a data set cannot be built, or names no classes.
    """
    splits = [
        split for split in (('train', 'val') if training else ('test',)) if f'_{split}_dataloader' in vars(runner)
    ]
    loaders = {split: loader for split in splits if (loader := _build_loader(runner, split)) is not None}
    for split, loader in loaders.items():
        _attach_checks(runner, loader.dataset, split)
    return loaders


def look_at_data_sets(runner: Runner, loaders: dict[str, DataLoader]) -> None:
    """Log what the data sets hold, and refuse what is wrong with them; a training says later which classes never occurred.

    The first process reads the files, the others wait for what it finds.

    Args:
        runner: that of the loaders.
        loaders: what `build_data_sets` returned.

    Raises:
        InputError: there are no images, files are missing or damaged, labels hold other values than the classes, or all
            labels of the training set hold one class.
    """
    fault: list[str | None] = [None]
    cause: InputError | None = None
    if is_main_process():
        data_sets = {split: loader.dataset for split, loader in loaders.items()}
        try:
            report_data_sets(data_sets, check_labels=not is_disabled(runner.cfg, 'CheckAnnotations'))
        except InputError as error:
            fault, cause = [str(error)], error
    broadcast_object_list(fault)
    if fault[0] is not None:
        raise cause or InputError(fault[0])
    if 'train' in loaders and any(map(is_segmentation, inner_datasets(loaders['train'].dataset))):
        runner.register_hook(ClassesSeenHook(), priority='LOW')


def _build_loader(runner: Runner, split: str) -> DataLoader | None:
    """Build the loader as mmengine's loops do, which then take it as it is.

    Raises:
        InputError: its data set cannot be built; says why where that can be found.
    """
    name = f'_{split}_dataloader'
    loader = getattr(runner, name)
    if isinstance(loader, dict):
        shared_seed = runner.cfg.get('randomness', {}).get('diff_rank_seed', False)
        try:
            loader = runner.build_dataloader(loader, seed=runner.seed, diff_rank_seed=shared_seed)
        except (InputError, MemoryError):
            raise
        except Exception as error:
            raise InputError(why_not_built(loader, split, error)) from error
        setattr(runner, name, loader)
    if not isinstance(loader, DataLoader):
        return None
    if split != 'train':
        check_shared(loader, f'{split}_dataloader')
    return loader


def _attach_checks(runner: Runner, dataset: Any, split: str) -> None:
    labels = not is_disabled(runner.cfg, 'CheckAnnotations')
    place = f'{split}_dataloader.dataset'
    model = inner_model(runner.model)
    for one in with_wrappers(dataset):
        item = {}
        if is_segmentation(one) and not wrapped_by(one):
            if fault := fault_of_classes(type(one), {'classes': one.metainfo.get('classes')}):
                raise InputError(f'{place}: {fault}')
            ignored = {*ignored_labels(one), *_ignored_by_heads(model)}
            item = dict(num_classes=len(one.metainfo['classes']), ignored_labels=tuple(sorted(ignored)))
        most_empty = 0 if getattr(one, 'test_mode', False) else getattr(one, 'max_refetch', None)
        if not labels:
            remove_label_checks(one)
        where = f'{place}.pipeline' if one is dataset else f'{place}: pipeline of {type(one).__name__}'
        check_pipeline(one, Checks(where, item, labels and bool(item), _channels(model), most_empty))


def _ignored_by_heads(model: nn.Module) -> set[int]:
    """What the heads and their losses ignore."""
    parts = [part for head in heads_of(model).values() for part in head.modules()]
    return {part.ignore_index for part in parts if hasattr(part, 'ignore_index')}


def _channels(model: nn.Module) -> int | None:
    """The channels of the images, as the mean of the preprocessor has them."""
    mean = getattr(getattr(model, 'data_preprocessor', None), 'mean', None)
    return len(mean) if mean is not None and len(mean) > 1 else None
