"""The file that names images to leave out of a data set (`skip_list`): a path a line, with the reason behind a tab."""

import os.path as osp
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError
from ..files import named_errors, replacing
from .damaged_files import fault_of_system


def read_skip_list(path: str, root: str) -> set[str]:
    """The full paths of the images that a list names; a path that is not absolute is below `root` or the current folder.

    Raises:
        InputError: the list cannot be read.
    """
    try:
        text = _text(path)
    except OSError as error:
        raise InputError(f'{fault_of_system(error, path)} (skip_list)') from error
    names = [line.split('\t')[0].rstrip('\r') for line in text.split('\n') if line.strip()]
    names += [name.replace('\\t', '\t').replace('\\n', '\n') for name in names if '\\' in name]
    return {full_path(place) for name in names for place in (name, osp.join(root, name))}


def write_skip_list(path: str, reasons: Mapping[str, str], root: str, in_use: Iterable[str | None] = ()) -> None:
    """Write the list, whole or not at all; where the data sets use it already, what it names stays in it.

    Args:
        path: the file.
        reasons: by the paths of the images.
        root: folder of the data set; images below it are named from there, so that the data set can be moved.
        in_use: the lists that the data sets leave out already.

    Raises:
        InputError: the file cannot be written.
    """
    used = {full_path(place) for name in in_use if name for place in (name, osp.join(root, name))}
    known = _text(path).splitlines(keepends=True) if full_path(path) in used else []
    lines = [
        f'{_escaped(_below(image, root))}\t{" ".join(reason.split())}\n' for image, reason in sorted(reasons.items())
    ]
    with named_errors(path), replacing(path) as temporary:
        temporary.write_text(''.join([*known, *lines]), encoding='utf-8', errors='surrogateescape')


def _escaped(name: str) -> str:
    return name.replace('\t', '\\t').replace('\n', '\\n')


def _text(path: str) -> str:
    return Path(path).read_text(encoding='utf-8-sig', errors='surrogateescape')


def full_path(path: str) -> str:
    """A path by which one file is compared with another; links are kept, since two names are two images."""
    return osp.normpath(osp.abspath(path))


def _below(path: str, root: str) -> str:
    if not root:
        return full_path(path)
    below = osp.relpath(full_path(path), full_path(root))
    return full_path(path) if below.startswith('..') else below
