"""The files of a segmentation data set: how many images and labels it has, what is left out and why, what is missing."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError, listed
from .image_list_file import without_suffix
from .image_lists import SUFFIXES

_IMAGES = (*SUFFIXES, '.bmp', '.tif', '.tiff', '.npy')  # endings, in small letters, by which other images are noticed


@dataclass
class FileAccount:
    """What was found in the folders of a data set.

    Attributes:
        images: paths of its images.
        labels: paths of its labels.
        folder: that holds the images.
        chosen: what the config leaves out, in words, such as '3 not in train.txt'.
        doubtful: what it may leave out without meaning to.
    """

    images: list[str]
    labels: list[str]
    folder: str
    chosen: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def account_for_files(
    dataset: Any, with_labels: bool, refuse_missing: bool = True, own_loader: bool = False
) -> FileAccount:
    """Compare what a data set of mmseg holds with what is in its folders.

    Args:
        dataset: with an `img_path` in every item.
        with_labels: whether its pipeline loads labels.
        refuse_missing: whether a missing image is an error.
        own_loader: whether a step of somebody else loads the labels. It may find them elsewhere, so that it is no error
            where none of the files exists.

    Raises:
        InputError: there are no images, or an image or label does not exist.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    images = [info['img_path'] for info in infos if isinstance(info.get('img_path'), str)]
    labels = [info['seg_map_path'] for info in infos if with_labels and isinstance(info.get('seg_map_path'), str)]
    folder = str(
        (getattr(dataset, 'data_prefix', None) or {}).get('img_path') or getattr(dataset, 'data_root', None) or ''
    )
    account = FileAccount(images, labels, folder)
    suffixes = _suffixes(dataset)
    if len(suffixes) > 1 and not hasattr(dataset, 'img_suffixes') and labels:
        raise InputError(
            f'{type(dataset).__name__} takes one img_suffix, got {suffixes}, and would look for {labels[0]}; '
            'CheckedSegDataset takes several'
        )
    if not infos:
        raise InputError(no_images(type(dataset).__name__, folder, suffixes, getattr(dataset, 'ann_file', '')))
    if refuse_missing:
        _check_images(dataset, images, suffixes)
    _check_labels(images, labels, str(getattr(dataset, 'seg_map_suffix', '')), own_loader)
    if '://' not in folder and osp.isdir(folder):
        _find_left_out(dataset, account, suffixes)
    twice = [path for path, number in Counter(images).items() if number > 1]
    if twice:
        account.doubtful.append(f'{len(twice)} images are listed more than once, such as {twice[0]}')
    return account


def no_images(name: str, folder: str, suffixes: Iterable[str], ann_file: str) -> str:
    """Say that a data set has no images, and what its folder holds instead."""
    found = ', '.join(f'{number} *{end}' for end, number in _endings(_files_below(folder)).most_common(4))
    if ann_file and osp.isfile(ann_file):
        return f'{name} has no images: {ann_file} (ann_file) names none; leave ann_file out to have all of {folder}'
    way = f'it holds {found}: set img_suffix' if found else 'it is empty: check data_root and data_prefix'
    return f'{name} has no images: no *{", *".join(suffixes)} in {folder}; {way}'


def _suffixes(dataset: Any) -> tuple[str, ...]:
    suffixes: Any = getattr(dataset, 'img_suffixes', None) or getattr(dataset, 'img_suffix', ())
    return (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)


def _check_images(dataset: Any, images: list[str], suffixes: tuple[str, ...]) -> None:
    missing = _missing(images)
    if not missing:
        return
    path, of = missing[0], getattr(dataset, 'ann_file', '') or 'the data set'
    name = osp.basename(path)
    hint = ''
    if '\ufeff' in path:
        hint = ': the list begins with a byte-order mark; save it as UTF-8 without one'
    elif name in suffixes:
        hint = ': the list has an empty line; remove it'
    elif any(without_suffix(name, suffixes).endswith(suffix) for suffix in suffixes):
        hint = ': the list holds names with their ending; leave the ending out'
    if hint and type(dataset).__module__.startswith('mmseg'):
        hint += ', or use CheckedSegDataset, which reads such lists'
    raise InputError(f'{of} names {len(missing)} of {len(images)} images that do not exist: no such file: {path}{hint}')


def _check_labels(images: list[str], labels: list[str], suffix: str, own_loader: bool) -> None:
    missing = _missing(labels)
    if not missing or (own_loader and len(missing) == len(labels)):
        return
    stem = osp.splitext(osp.basename(missing[0]))[0]
    folder = osp.dirname(missing[0])
    beside = sorted(name for name in _names_in(folder) if osp.splitext(name)[0] == stem)
    hint = f'; there is {listed(beside)}: set seg_map_suffix' if beside else ': check data_prefix and seg_map_suffix'
    if not beside and any(path.endswith(suffix) and osp.dirname(path) == folder for path in images):
        hint += '; labels are among the images, so img_suffix has to tell them apart'
    raise InputError(f'{len(missing)} of {len(labels)} images have no label: no such file: {missing[0]}{hint}')


def _find_left_out(dataset: Any, account: FileAccount, suffixes: tuple[str, ...]) -> None:
    """Note the images in the folder that are not in the data set, and labels without an image."""
    account.chosen += getattr(dataset, 'left_out', ())
    if getattr(dataset, 'finds_files_itself', False):
        return
    used = {osp.normpath(path) for path in (*account.images, *account.labels)}
    prefix = dataset.data_prefix or {}
    label_suffix = str(getattr(dataset, 'seg_map_suffix', '') or ' ')
    label_folder = str(prefix.get('seg_map_path') or '')
    among = bool(label_folder) and osp.normpath(label_folder) == osp.normpath(account.folder)
    inside = [osp.abspath(str(path)) for key, path in prefix.items() if key != 'img_path' and path]
    hidden, others, unused = 0, [], 0
    for path in _files_below(account.folder):
        if (
            osp.normpath(path) in used
            or _is_below(path, inside, account.folder)
            or (among and path.endswith(label_suffix))
        ):
            continue
        if osp.basename(path).startswith('.'):
            hidden += path.lower().endswith(_IMAGES)
        elif path.endswith(suffixes):
            unused += 1
        elif path.lower().endswith(_IMAGES):
            others.append(path)
    for ending, number in _endings(others).items():
        of = '' if hasattr(dataset, 'img_suffixes') else ' of CheckedSegDataset, since this class takes one ending'
        now = ' or '.join(map(repr, suffixes))
        both = tuple(dict.fromkeys((*suffixes, ending)))
        account.doubtful.append(f'{number} *{ending} (img_suffix is {now}: to have them, set img_suffix={both}{of})')
    if hidden:
        account.chosen.append(f'{hidden} hidden files')
    if unused:
        by = getattr(dataset, 'ann_file', '')
        account.chosen.append(
            f'{unused} images {f"not in {by}" if by else "by indices, filter_cfg or the class itself"}'
        )
    if account.labels and osp.isdir(label_folder) and not among:
        labels = {osp.normpath(path) for path in _files_below(label_folder) if path.endswith(label_suffix)}
        without = len(labels - used) - unused - hidden - len(others)
        if without > 0:
            account.chosen.append(f'{without} labels without an image')


def _is_below(path: str, folders: list[str], root: str) -> bool:
    """Whether a file is in one of the folders of labels, where these are inside that of the images."""
    full, root = osp.abspath(path), osp.abspath(root)
    return any(full.startswith(folder + os.sep) for folder in folders if folder != root and folder.startswith(root))


def _missing(paths: Iterable[str]) -> list[str]:
    """Those of this machine that do not exist."""
    return [path for path in paths if '://' not in path and not osp.exists(path)]


def _names_in(folder: str) -> list[str]:
    return os.listdir(folder) if osp.isdir(folder) else []


def _files_below(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            yield osp.join(parent, name)


def _endings(paths: Iterable[str]) -> Counter[str]:
    return Counter(osp.splitext(path)[1] for path in paths)
