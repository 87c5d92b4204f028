"""What the data sets of a run hold, logged before it starts: images, labels, what is left out, which classes occur."""

import logging
import os.path as osp
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmseg.datasets.transforms import LoadAnnotations

from ..errors import InputError, listed
from .checked_pipeline import all_steps, is_foreign
from .damaged_files import fault_at_a_glance
from .files_left_out import FileAccount, account_for_files
from .image_orientation import AS_STORED, TURNED, count_orientations, fits_as_read, turns_images
from .label_checks import IGNORED, check_values
from .label_sample import LabelSample, has_labels, read_until, sample_labels, spread, why_missing
from .step_errors import loads_labels
from .wrapped_datasets import inner_datasets, is_segmentation

_SECONDS = 1.0  # for the ends of a data set's images
_SECONDS_OF_ONE_CLASS = 30.0  # for more labels of a training set in which only one class has turned up
_ORIENTED = 200  # images whose orientation is looked at


def report_data_sets(data_sets: dict[str, Any], check_labels: bool) -> None:
    """Log a line for each data set, and refuse what is wrong with its files or labels.

    Args:
        data_sets: by the part of the run that reads them: train, val or test. Their pipelines have checks.
        check_labels: whether some labels are read.

    Raises:
        InputError: there are no images, files are missing or damaged, labels hold other values than the classes, or all
            labels of the training set hold one class.
    """
    accounts: dict[str, list[FileAccount]] = {}
    for split, whole in data_sets.items():
        try:
            accounts[split] = list(_report(whole, split, check_labels))
        except InputError as error:
            raise InputError(f'{split} data: {error}') from error
    _warn_of_shared_images(accounts)


def _report(whole: Any, split: str, check_labels: bool) -> Iterator[FileAccount]:
    """Log what one part of the run reads; the accounts of its data sets."""
    samples = []
    for dataset in inner_datasets(whole):
        if not is_segmentation(dataset):
            _log(f'{split} data: {type(dataset).__name__}, {getattr(dataset, "data_root", "")}: {len(dataset)} images')
            continue
        yield _account(dataset, split)
        if check_labels and has_labels(dataset):
            samples.append((dataset, _checked_sample(dataset)))
    if samples:
        _compare_with_classes(samples, split)


def _account(dataset: Any, split: str) -> FileAccount:
    """Log the line of one data set."""
    steps = list(all_steps(getattr(dataset.pipeline, 'transforms', [])))
    refuse = not any(getattr(step, 'ignore_empty', False) for step in steps)
    own_loader = not any(loads_labels(step) and not is_foreign(step) for step in steps)
    account = account_for_files(dataset, has_labels(dataset), refuse, own_loader)
    if not account.labels and any(type(step) is LoadAnnotations for step in steps):
        raise InputError(
            f'the pipeline of {type(dataset).__name__} loads labels, and no image has one: set data_prefix.seg_map_path'
        )
    left_out = [*account.doubtful, *account.chosen]
    held = f'{len(dataset)} images, ' + (f'{len(account.labels)} labels' if account.labels else 'no labels are read')
    line = f'{split} data: {type(dataset).__name__}, {account.folder or "no folder"}: {held}'
    _log(line + (f'; left out: {", ".join(left_out)}' if left_out else ''), bool(account.doubtful))
    if faults := [fault for fault in _in_time([*account.images, *account.labels], fault_at_a_glance) if fault]:
        raise InputError(f'{faults[0]}' + (f', and {len(faults) - 1} more' if len(faults) > 1 else ''))
    _look_at_orientation(account, steps, split)
    ignore_index = getattr(dataset, 'ignore_index', IGNORED)
    names = dataset.metainfo['classes']
    if 0 <= ignore_index < len(names):
        _log(
            f'{split} data: ignore_index={ignore_index} is the number of the class {names[ignore_index]}: it is never trained',
            True,
        )
    return account


def _look_at_orientation(account: FileAccount, steps: list[Callable], split: str) -> None:
    """Say how images with an EXIF orientation are read, unless the sizes of labels show whether that is right."""
    looked_at = list(islice(spread(len(account.images)), _ORIENTED))
    found = count_orientations(account.images[i] for i in looked_at)
    if not found:
        return
    turned = any(map(turns_images, steps))
    shown = False
    if account.labels and not any(map(is_foreign, steps)):
        for i in looked_at:
            fits, fault = fits_as_read(account.images[i], account.labels[i], turned)
            if fault:
                raise InputError(fault)
            shown = shown or fits
    tags = ', '.join(f'{number} with {tag}' for tag, number in sorted(found.items()))
    how, other = ('turned as the tag says', AS_STORED) if turned else ('as stored', TURNED)
    _log(
        f'{split} data: {sum(found.values())} of {len(looked_at)} images that were looked at carry an EXIF orientation ({tags}) '
        f'and are read {how}'
        + ('' if shown else f'; if their labels were drawn on the other form, set {other} of LoadImageFromFile'),
        not shown,
    )


def _checked_sample(dataset: Any) -> LabelSample:
    """Read some labels and check their values."""
    sample = sample_labels(dataset)
    item = dataset.pipeline.checks.item
    values = np.array(sorted(sample.values), dtype=int)
    wrong = [
        value
        for value in values.tolist()
        if value not in item['ignored_labels'] and not 0 <= value < item['num_classes']
    ]
    if wrong:
        others = sum(sample.values[value] for value in wrong[:1]) - 1
        where = sample.first[wrong[0]] + (
            f', like {others} more of the {sample.read} labels that were read,' if others else ''
        )
        check_values(values, item['num_classes'], where, item['ignored_labels'])
    return sample


def _compare_with_classes(samples: list[tuple[Any, LabelSample]], split: str) -> None:
    """Say which classes do not occur in the labels of a loader's data sets, and refuse to train where there is only one.

    Raises:
        InputError: all labels of the training set hold one class or none, beside what is ignored.
    """
    dataset = samples[0][0]
    names, ignored = dataset.metainfo['classes'], dataset.pipeline.checks.item['ignored_labels']

    def occurring() -> set[int]:
        return {value for _, sample in samples for value in sample.classes(ignored)}

    if split == 'train' and len(occurring()) < 2 <= len(names):
        start = time.monotonic()
        for one, sample in samples:
            read_until(one, sample, lambda: len(occurring()) > 1 or time.monotonic() - start > _SECONDS_OF_ONE_CLASS)
        if time.monotonic() - start > 1:
            _log(f'{split} data: read {sum(sample.read for _, sample in samples)} labels in search of a second class')
    found = occurring()
    missing = [f'{name} ({i})' for i, name in enumerate(names) if i not in found and i not in ignored]
    read, total = (sum(getattr(sample, key) for _, sample in samples) for key in ('read', 'total'))
    if not missing or not read:
        return
    whole = read == total
    where = f'any of the {total} labels' if whole else f'the {read} labels that were read, of {total}'
    causes = filter(None, (why_missing(sample, one, ignored) for one, sample in samples))
    cause = next(causes, 'convert the labels, or leave the classes out' if whole else 'others may hold them')
    if whole and len(found) < 2 <= len(names) and split == 'train':
        held = f'only {names[next(iter(found))]} ({next(iter(found))})' if found else 'nothing but ignored pixels'
        raise InputError(
            f'all {total} labels hold {held} and never {listed(missing)}, so there is nothing to learn: {cause}'
        )
    _log(
        f'{split} data: {len(missing)} of {len(names)} classes do not occur in {where}: {listed(missing)}; {cause}',
        True,
    )


def _warn_of_shared_images(accounts: dict[str, list[FileAccount]]) -> None:
    trained, validated = (
        {osp.abspath(path) for account in accounts.get(split, []) for path in account.images}
        for split in ('train', 'val')
    )
    if shared := sorted(trained & validated):
        _log(f'{len(shared)} images are in the training and in the validation set, such as {shared[0]}', True)


def _in_time(paths: list[str], look: Callable[[str], str], seconds: float = _SECONDS) -> Iterator[str]:
    """What is found in files, evenly spread, as many as there is time for."""
    start = time.monotonic()
    for i in spread(len(paths)):
        if time.monotonic() - start > seconds:
            return
        yield look(paths[i])


def _log(message: str, warning: bool = False) -> None:
    print_log(message, 'current', logging.WARNING if warning else logging.INFO)
