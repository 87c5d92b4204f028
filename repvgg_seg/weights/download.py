"""Downloads of published weights and of files at an http address: resumed, and checked before they count."""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import torch
from filelock import FileLock
from rich.progress import wrap_file

from ..errors import InputError
from ..files import sha256
from .published import KnownWeights, how_to_get, published_sum

_CHUNK = 1 << 20  # bytes read at a time
_WHOLE_SUM = 64  # digits of a sha256; of some files only the first are published
_TIMEOUT = 30  # seconds without a byte


def download(known: KnownWeights, folder: str | Path) -> Path:
    """Fetch published weights into a folder, unless they are there; an interrupted download is resumed.

    Args:
        known: which weights.
        folder: is created where it is missing.

    Returns:
        The file, checked.

    Raises:
        InputError: no stable address, no network, an interrupted download, no space, or another size or sha256 than
            the published one; says what to do.
    """
    path = Path(folder) / known.file
    if path.exists():
        _check(path, f'move {path} away and run this again', known.size, known.sha256)
    elif known.hub:
        _fetch_from_hub(known.hub, path)
        _check(path, f'move {path} away and run this again', known.size, known.sha256)
    elif known.url:
        _fetch(known.url, path, known.size, known.sha256)
    else:
        raise InputError(f'{how_to_get(known)}; put it at {path}')
    return path


def download_address(url: str) -> Path:
    """Fetch what is at an address into the folder where torch keeps its downloads, unless it is there.

    Of several processes that ask for the same address, one fetches and the others wait for it.

    Args:
        url: http or https. The sha256 of published weights is checked.

    Raises:
        InputError: as `download`.
    """
    name = Path(urlparse(url).path)
    address = hashlib.sha256(url.encode()).hexdigest()[:8]  # files at many addresses have the same name
    path = Path(torch.hub.get_dir(), 'checkpoints', f'{name.stem}-{address}{name.suffix}')
    if not path.exists():
        with _explained(url, path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f'{path}.lock'):
                if not path.exists():  # another process may have fetched it meanwhile
                    _fetch(url, path, None, published_sum(url))
    return path


def _fetch(url: str, path: Path, size: int | None, digest: str) -> None:
    part = path.with_name(f'{path.stem}.part{path.suffix}')
    with _explained(url, path):
        part.parent.mkdir(parents=True, exist_ok=True)
        if not digest:  # nothing would show that the file at the address has changed meanwhile
            part.unlink(missing_ok=True)
        _append(url, part, size, digest)
    try:
        _check(part, 'it is deleted: run this again', size, digest)
    except InputError:
        part.unlink()
        raise
    part.replace(path)


def _append(url: str, part: Path, size: int | None, digest: str) -> None:
    """Append to `part` the bytes that it lacks."""
    start = part.stat().st_size if part.exists() else 0
    try:
        response = urlopen(Request(url, headers={'Range': f'bytes={start}-'} if start else {}), timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code == 416 and start:  # nothing is left to fetch
            return
        raise
    with response:
        if url.startswith('https:') and not response.url.startswith('https:') and len(digest) < _WHOLE_SUM:
            raise ConnectionError(f'it leads on to {response.url}, which anybody on the way can change')
        if response.status != 206:  # the server sends the whole file, whatever was asked for
            start = 0
        length = int(response.headers.get('Content-Length', 0))
        total = size or (start + length if length else None)
        with (
            open(part, 'ab' if start else 'wb') as file,
            wrap_file(response, length, description=part.name) as shown,
        ):
            _copy(shown, file, size and size - start)
    fetched = part.stat().st_size
    if total and fetched < total:
        raise ConnectionError(f'the connection ended at {fetched:,} of {total:,} bytes')


def _copy(source: BinaryIO, target: BinaryIO, most: int | None) -> None:
    """Copy bytes, and end where more come than there should be: a server may send for ever."""
    copied = 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        copied += len(chunk)
        if most is not None and copied > most:
            return


def _fetch_from_hub(repository: str, path: Path) -> None:
    """Fetch `model.safetensors` of a repository of the Hugging Face hub; the hub's client checks and resumes."""
    from huggingface_hub import hf_hub_download, utils  # takes a while to import

    part = path.with_name(f'{path.stem}.part')  # a folder: the client keeps notes beside the file
    with _explained(f'{repository} from the Hugging Face hub', path):
        part.mkdir(parents=True, exist_ok=True)
        try:
            file = hf_hub_download(repository, 'model.safetensors', local_dir=part)
        except utils.LocalEntryNotFoundError as error:  # it hides why the hub was not reached
            raise ConnectionError(error.__cause__ or error) from error
        except OSError:
            raise
        except Exception as error:  # many come from its HTTP client, which every major version has changed
            raise ConnectionError(error) from error
        Path(file).replace(path)
        shutil.rmtree(part)


@contextmanager
def _explained(source: str, path: Path) -> Iterator[None]:
    """Turn the errors of networks and disks into an `InputError` that says how `path` can be had."""
    try:
        yield
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            message = f'no space for {path}: {error.strerror}; free some space and run this again: it is resumed'
        elif isinstance(error, PermissionError):
            message = f'cannot write {path}: {error.strerror}; choose a folder that you may write to'
        else:
            reason = ' '.join(str(error).split()).rstrip('.')
            message = (
                f'cannot fetch {source}: {reason}; run this again, or fetch it by other means and put it at {path}'
            )
        raise InputError(message) from error


def _check(path: Path, remedy: str, size: int | None, digest: str) -> None:
    found_size = path.stat().st_size
    if size and found_size != size:
        raise InputError(f'{path.name} has {found_size:,} bytes, the published file {size:,}: {remedy}')
    found = sha256(path)
    if not found.startswith(digest):
        raise InputError(
            f'{path.name} has the sha256 {found}, that of the published file begins with {digest}: {remedy}'
        )
