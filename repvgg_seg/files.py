"""Writing a file whole or not at all, the sum of a file, and the files below a folder."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError


@contextmanager
def replacing(path: str | os.PathLike[str], sync: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside `path` to write to; it replaces `path` at the end, or is deleted after an error.

    Args:
        path: the file.
        sync: wait until it would survive a loss of power; not worth its time where many files can be made again.
    """
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.', suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(temporary)
        if sync:
            with open(temporary, 'r+b') as file:  # Windows syncs no file that is open for reading only
                os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # as any new file: mkstemp allows its owner alone
        os.replace(temporary, path)
        if sync:
            _sync_folder(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):  # it is in its place already
            os.unlink(temporary)
        raise


def remove_leftovers(folder: str | os.PathLike[str], suffix: str) -> None:
    """Remove the temporary files of `replacing` that a process which was killed has left in a folder.

    Args:
        folder: where to look; nothing below it.
        suffix: of the files that were being written, such as '.pth'.
    """
    for path in Path(folder).glob(f'.*{suffix}.*{suffix}'):
        with suppress(OSError):
            path.unlink()


def _sync_folder(folder: Path) -> None:
    """Let the new name of a file survive a loss of power, where the system can sync a folder."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def named_errors(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a file that is written.

    Raises:
        InputError: in place of an `OSError` of the writing; names the file.
    """
    try:
        yield Path(path)
    except OSError as error:
        raise InputError(f'cannot write {path}: {error.strerror or error}; name another folder') from error


def check_folder_takes_files(folder: str | os.PathLike[str]) -> None:
    """Write and delete a small file, which tells more than the rights of a folder do.

    Raises:
        OSError: nothing can be written into the folder.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b'0')


def walk_folder(folder: str | os.PathLike[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk` from the top, through links and each folder once, by name, without hidden folders and files."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:  # a link that leads back up
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        yield parent, folders, sorted(name for name in names if not name.startswith('.'))


def sha256(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
