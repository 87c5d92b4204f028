"""What is wrong with a file that could not be read: it is missing, forbidden, empty, no image, or cut short."""

import contextlib
import io
import os
import os.path as osp
import textwrap
from collections.abc import Callable
from typing import Any

from PIL import Image

# What the first bytes of a file that is no image say about it, with the way out.
_NOT_AN_IMAGE = {
    b'version https://git-lfs': "a pointer of Git LFS and not the file itself; run 'git lfs pull'",
    b'<!doctype html': 'a web page; fetch the file again',
    b'<html': 'a web page; fetch the file again',
}
# Formats that OpenCV 4 decodes without an error where the end is missing: (first bytes, last bytes of a whole file).
_ENDS = ((b'\xff\xd8', b'\xff\xd9'), (b'\x89PNG', b'IEND\xaeB`\x82'))
_SUFFIXES = ('.jpg', '.jpeg', '.png')
_HEAD, _TAIL = 64, 64  # bytes; some programs append padding
_LONGEST = 400  # characters of another library's message
_found_whole: set[str] = set()  # files with something behind their end, which Pillow has found whole


def fault_of(path: str, read: Callable[[bytes], Any] | None = None) -> str:
    """Return what is wrong with a file, or an empty string.

    Args:
        path: a file of this machine; any other address, such as s3://, is not judged.
        read: decodes the bytes of the file, in the way in which they were to be read; None to judge by the first bytes.
    """
    if '://' in path:
        return ''
    try:
        with open(path, 'rb') as file:
            content = file.read()
    except OSError as error:
        return fault_of_system(error, path)
    if not content:
        return f'cannot decode {path}: the file is empty (0 bytes); fetch it again'
    for start, fault in _NOT_AN_IMAGE.items():
        if content[:_HEAD].lower().startswith(start):
            return f'cannot decode {path}: it is {fault}'
    try:
        if read is not None and read(content) is None:
            return _damaged(path, 'its decoder returned nothing')
    except Exception as error:
        return _damaged(path, one_line(error))
    return ''


def fault_of_system(error: OSError, path: str) -> str:
    """Name a file and why the system did not open it."""
    path = str(error.filename or path)
    if isinstance(error, FileNotFoundError):
        return f'no such file: {path}'
    if isinstance(error, PermissionError):
        return f'permission denied: {path} cannot be read by this user'
    if isinstance(error, IsADirectoryError):
        return f'{path} is a folder and not a file'
    return f'{path} cannot be read: {error.strerror or error}'


def fault_at_a_glance(path: str) -> str:
    """Return what is wrong with an image that is empty, is none, or whose end is missing; an empty string if nothing.

    OpenCV 4 fills the missing rows of a JPEG with grey and says nothing. The first and last bytes are read; Pillow decodes
    only what looks damaged.
    """
    if path in _found_whole or '://' in path or not osp.isfile(path):
        return ''
    with open(path, 'rb') as file:
        head = file.read(_HEAD)
        file.seek(-min(_TAIL, os.fstat(file.fileno()).st_size), os.SEEK_END)
        tail = file.read().rstrip(b'\0\r\n ')
    known = [last for first, last in _ENDS if head.startswith(first)]
    if known and tail.endswith(known[0]) or not known and head and not path.lower().endswith(_SUFFIXES):
        return ''
    fault = fault_of(path, _decode)
    if not fault:
        _found_whole.add(path)
    return fault


def _decode(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        with contextlib.suppress(Image.DecompressionBombError):  # too large for Pillow alone
            image.load()
        return image


def one_line(error: BaseException) -> str:
    """The type and message of an error in one line, of OpenCV's without its place in the source."""
    message = ' '.join(str(getattr(error, 'err', error)).split())
    return f'{type(error).__name__}: {textwrap.shorten(message, _LONGEST, placeholder=" ...")}'.rstrip(': ')


def _damaged(path: str, reason: str) -> str:
    return f'cannot decode {path}: the file is damaged or not an image; fetch it again ({reason})'
