"""Find the images of a classification data set and their classes, from folders or from a list."""

import os
import os.path as osp
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError, listed

SUFFIXES = ('.jpeg', '.jpg', '.png', '.webp')
LAYOUT = (
    'an ImageNet root holds train/<wnid>/*.JPEG and val/<wnid>/*.JPEG; where val/ is flat, name its list: '
    "ann_file='val.txt', with lines NAME CLASS"
)


def images_in_folders(folder: str) -> list[tuple[str, str]]:
    """Return (path, class) of every image below the folders in `folder`, whose names are the classes.

    Raises:
        InputError: there are no folders, one holds no images, or the only one is called images, which needs a list.
    """
    names = folder_names(folder)
    if not names:
        raise InputError(f'{folder} holds no folders, one for each class ({held(folder)}): {LAYOUT}')
    if names == ['images']:
        split = osp.basename(folder)
        raise InputError(
            f'{folder} holds its images in one folder, images/: set split to {split}/images and name their list, '
            f'such as ann_file={split}/val_annotations.txt'
        )
    images = []
    for name in names:
        paths = sorted(_images_below(osp.join(folder, name)))
        if not paths:
            raise InputError(
                f'{osp.join(folder, name)} is an empty class: no {", ".join(SUFFIXES)} in it; '
                'unpack its images there, or remove the folder'
            )
        images += [(path, name) for path in paths]
    return images


def images_in_list(path: str, folder: str) -> list[tuple[str, str]]:
    """Return (path, class) of the images in a flat folder that a list names; a class is a name or a number.

    Raises:
        InputError: the list does not exist, holds no images or mixes names and numbers as classes, a line of it has
            no class, or a listed image does not exist.
    """
    if not osp.isfile(path):
        raise InputError(f'no list {path}: {LAYOUT}')
    present = {osp.splitext(name)[0]: osp.join(folder, name) for name in os.listdir(folder) if _is_image(name)}
    images, missing = [], []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), 1):
        words = line.replace(',', ' ').split()
        if not words or words[0] == 'ImageId':  # an empty line, or the heading of Kaggle's list
            continue
        if len(words) < 2:
            raise InputError(f'{path}, line {number}: a line is NAME CLASS, got {line.strip()!r}')
        stem = osp.splitext(osp.basename(words[0]))[0]
        if stem in present:
            images.append((present[stem], words[1]))
        else:
            missing.append(words[0])
    if missing:
        raise InputError(f'{path} lists {len(missing)} images that {folder} does not hold: {listed(missing)}')
    if not images:
        raise InputError(f'{path} lists no images: {LAYOUT}')
    named = sorted({name for _, name in images if not name.isdecimal()})
    if named and any(name.isdecimal() for _, name in images):
        raise InputError(f'{path} holds classes as numbers and as names, {listed(named)}: one or the other')
    return images


def folder_names(path: str) -> list[str]:
    """Return the sorted names of the folders in a folder, without hidden ones."""
    return sorted(entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith('.'))


def held(path: str) -> str:
    """Describe the content of a folder, for a message."""
    return listed(sorted(os.listdir(path))) or 'nothing'


def _images_below(folder: str) -> Iterator[str]:
    """The paths of the images at every depth of a folder, in any order."""
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if _is_image(name):
                yield osp.join(parent, name)


def _is_image(name: str) -> bool:
    """Whether a name has the ending of an image and is not hidden."""
    return name.lower().endswith(SUFFIXES) and not name.startswith('.')
