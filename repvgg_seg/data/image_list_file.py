"""A text file that lists the images of a segmentation data set (`ann_file`), one name a line, without its ending."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .damaged_files import fault_of_system


def read_list(path: str, suffixes: Sequence[str]) -> list[str]:
    """Return the names, without endings, blank lines, a byte-order mark and the line ends of Windows.

    Args:
        path: the list.
        suffixes: endings of images; a name that has one is taken without it.

    Raises:
        InputError: the list cannot be read as text, or names nothing.
    """
    try:
        lines = Path(path).read_text(encoding='utf-8-sig').splitlines()
    except OSError as error:
        raise InputError(f'{fault_of_system(error, path)} (ann_file)') from error
    except UnicodeError as error:
        raise InputError(f'{path} cannot be read as a list of names, one a line in UTF-8: {error}') from error
    names = [without_suffix(line.strip(), suffixes) for line in lines if line.strip()]
    if not names:
        raise InputError(
            f'{path} names no images: ann_file holds a name a line, without its ending; leave it out for all'
        )
    return names


def without_suffix(name: str, suffixes: Sequence[str]) -> str:
    """A name without the longest of the endings that it has."""
    found = [suffix for suffix in suffixes if suffix and name.endswith(suffix)]
    return name[: -len(max(found, key=len))] if found else name
