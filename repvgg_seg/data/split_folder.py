"""Which images of a user's folders belong to train, val and test: folders, lists, or shares by a hash of the names."""

import hashlib
import os.path as osp
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError, listed
from .image_list_file import read_list, without_suffix
from .pair_masks import same_name, without_ending

SHARES = {'train': 0.8, 'val': 0.2}
_NAMES = {
    'train': ('train', 'training', 'trn'),
    'val': ('val', 'valid', 'validation', 'dev'),
    'test': ('test', 'testing', 'tst'),
}
_LIST_FOLDERS = ('', 'splits', 'lists', 'ImageSets/Segmentation', 'ImageSets')


@dataclass(frozen=True)
class Place:
    """Where the images of a split are.

    Attributes:
        images: folder of the images.
        masks: folder of the masks; None where there are none.
        list_file: that names the images of the split; None for all in the folder.
        share: the part of a split by shares that is to be taken of these images; None for all.
        said: what was decided, for the log.
    """

    images: str
    masks: str | None
    list_file: str | None = None
    share: str | None = None
    said: str = ''


def find_place(
    root: str, images: str, masks: str | None, split: str, shares: Mapping[str, float] | None = None
) -> Place:
    """Find where a split of a user's folders is.

    In this order: folders `images/train` and `masks/train`, or `train/images` and `train/masks`; a list `train.txt` in the
    root or in `splits/`, `lists/` or `ImageSets/Segmentation/`; a share of all images.

    Args:
        root: folder of the data set.
        images: folder of the images below it.
        masks: folder of the masks below it; None for images without masks.
        split: train, val, test or a name of the user's own.
        shares: of train, val and test; None for 80 % and 20 % where neither folders nor lists are there.

    Raises:
        InputError: there is no such folder, or a split cannot be found beside another.
    """
    if split not in _NAMES:
        if (place := _named(root, images, masks, (split,))) is None:
            raise InputError(
                f'split={split!r}: no folder {osp.join(root, images, split)} and no list {osp.join(root, split)}.txt; '
                f'train, val and test can also be shares of all images'
            )
        return place
    found = {name: _named(root, images, masks, names) for name, names in _NAMES.items()}
    shared = shares is not None or found['train'] is None or found['val'] is None
    if not shared:
        return found[split] or _without_test(found['val'])
    if split == 'test' and found['test'] and 'test' not in (shares or {}):
        return found['test']
    if found['train'] is None and found['val'] is not None and shares is None:
        raise InputError(f'{root} has a val split and none called train: {listed(_NAMES["train"])}')
    whole = found['train'] or Place(osp.join(root, images), None if masks is None else osp.join(root, masks))
    return _share(whole, split, _checked(SHARES if shares is None else shares))


def take_share(names: Iterable[str], shares: Mapping[str, float], part: str, endings: Sequence[str] = ()) -> list[str]:
    """The names of one part, which stay in it when images are added.

    Each name has a place between 0 and 1, by a hash of it without its ending. A part that gets none takes the last name of the
    largest one.

    Raises:
        InputError: there are fewer names than parts.
    """
    names = list(names)
    wanted = {name: share for name, share in shares.items() if share > 0}
    if len(names) < len(wanted):
        raise InputError(
            f'{len(names)} images cannot be shared among {", ".join(wanted)}: at least one for each is needed'
        )
    place = {name: _hashed(same_name(without_ending(name, endings))) for name in names}
    parts: dict[str, list[str]] = {name: [] for name in wanted}
    for name in sorted(names, key=lambda name: (place[name], name)):
        end = 0.0
        for one, share in wanted.items():
            end += share
            if place[name] < end or one == [*wanted][-1]:
                parts[one].append(name)
                break
    for members in parts.values():
        if not members:
            members.append(max(parts.values(), key=len).pop())
    return sorted(parts.get(part, []))


def names_in_list(path: str, names: Sequence[str], endings: Sequence[str], root: str) -> tuple[list[str], list[str]]:
    """The images that a list names, with or without ending and folders, and the lines that name none.

    A line may also be `IMAGE MASK` or `IMAGE,MASK`; the mask is the one that belongs to the image anyway.
    """
    full: dict[str, str] = {}
    for name in names:
        stem = same_name(without_ending(name, endings))
        full.setdefault(stem, name)
    ends: dict[str, list[str]] = {}
    for stem, name in full.items():
        ends.setdefault(osp.basename(stem), []).append(name)

    def find(line: str) -> str | None:
        stem = same_name(_bare(line, endings)).replace('\\', '/').removeprefix('./').lstrip('/')
        while True:
            if stem in full:
                return full[stem]
            if '/' not in stem:
                break
            stem = stem.split('/', 1)[1]  # a folder before it, such as images/
        alone = ends.get(stem, [])
        return alone[0] if len(alone) == 1 else None

    found: list[str] = []
    missing: list[str] = []
    for line in read_list(path, ()):
        words = [line, *([line.replace(',', ' ').split()[0]] if len(line.replace(',', ' ').split()) == 2 else [])]
        matched = next((match for word in words if (match := find(word)) is not None), None)
        if matched is None:
            missing.append(line)
        else:
            found.append(matched)
    return list(dict.fromkeys(found)), missing


def _bare(line: str, endings: Sequence[str]) -> str:
    return without_suffix(line, [*endings, *(ending.upper() for ending in endings)])


def _hashed(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode('utf-8', 'surrogateescape')).digest()[:8], 'big') / 2**64


def _named(root: str, images: str, masks: str | None, names: Sequence[str]) -> Place | None:
    """The folders or the list of a split under one of its names."""
    for name in names:
        for pair in (
            (osp.join(images, name), masks and osp.join(masks, name)),
            (osp.join(name, images), masks and osp.join(name, masks)),
        ):
            both = [osp.normpath(osp.join(root, folder)) for folder in pair if folder is not None]
            if masks == '':
                both = [both[0], osp.normpath(osp.join(root, name))]
            if osp.isdir(both[0]):
                if masks is not None and not osp.isdir(both[1]):
                    continue
                return Place(both[0], both[1] if masks is not None else None)
    for name in names:
        for folder in _LIST_FOLDERS:
            path = osp.join(root, folder, f'{name}.txt')
            if osp.isfile(path):
                return Place(osp.join(root, images), None if masks is None else osp.join(root, masks), path)
    return None


def _without_test(val: Place | None) -> Place:
    assert val is not None
    return Place(val.images, val.masks, val.list_file, None, 'there is no test split: that of val is used')


def _share(whole: Place, split: str, shares: Mapping[str, float]) -> Place:
    part, said = split, ''
    if split == 'test' and not shares.get('test'):
        part, said = 'val', 'there is no test split: that of val is used; '
    told = ', '.join(f'{100 * share:g} % {name}' for name, share in shares.items())
    return Place(
        whole.images, whole.masks, whole.list_file, part, f'{said}no folders or lists of splits: {told}, by the names'
    )


def _checked(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares in the order train, val, test.

    Raises:
        InputError: they are no shares of a whole.
    """
    good = isinstance(shares, Mapping) and set(shares) <= set(_NAMES) and {'train', 'val'} <= set(shares)
    if not good or not all(isinstance(share, (int, float)) and 0 < share < 1 for share in shares.values()):
        raise InputError(
            f'shares={shares!r}: give those of train and val, and of test if wanted: dict(train=0.8, val=0.2)'
        )
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise InputError(f'shares={dict(shares)} add up to {sum(shares.values()):g}: they must add up to 1')
    return {name: float(shares[name]) for name in _NAMES if name in shares}
