"""Fetching published weights: resumed where it broke off, checked before it counts."""

import errno
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ..errors import InputError
from .published import KnownWeights, how_to_get
from .read import sha256

_CHUNK = 1 << 20
_TIMEOUT = 30  # seconds without a byte


def download(known: KnownWeights, folder: 'str | Path') -> Path:
    """Fetch a file into a folder, unless it is there; what was fetched before it broke off is kept and gone on from.

    Args:
        known: which one.
        folder: is made where it is missing.

    Raises:
        InputError: no stable address, no network, broken off, no space, or a sum or size other than the published;
            says what to do.
    """
    path = Path(folder) / known.file
    if path.exists():
        _check(path, known, f'move {path} away and run this again')
        return path
    if known.url is None:
        raise InputError(f'{how_to_get(known)}; put it at {path}')
    part = path.with_name(f'{path.stem}.part{path.suffix}')
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _fetch(known, part)
    except HTTPError as error:
        raise InputError(f'{known.url} answers {error.code} {error.reason}: {_by_hand(path)}') from None
    except (OSError, HTTPException) as error:
        raise InputError(_reason(error, known, part, path)) from None
    try:
        _check(part, known, 'it is deleted: run this again')
    except InputError:
        part.unlink()
        raise
    part.replace(path)
    return path


def _fetch(known: KnownWeights, part: Path) -> None:
    """Append to `part` what it lacks."""
    start = part.stat().st_size if part.exists() else 0
    try:
        response = urlopen(Request(known.url, headers={'Range': f'bytes={start}-'} if start else {}), timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code == 416 and start:  # nothing is left to fetch
            return
        raise
    with response, _progress() as progress:
        if response.status != 206:  # the whole file, whatever was asked for
            start = 0
        length = response.headers.get('Content-Length')
        total = start + int(length) if length else known.size
        bar = progress.add_task(known.name, total=total, completed=start)
        with open(part, 'ab' if start else 'wb') as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                progress.advance(bar, len(chunk))
    size = part.stat().st_size
    if total and size < total:
        raise ConnectionError(f'the connection ended at {size:,} of {total:,} bytes')


def _progress() -> Progress:
    return Progress(
        TextColumn('{task.description}'), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    )


def _check(path: Path, known: KnownWeights, remedy: str) -> None:
    size = path.stat().st_size
    if known.size and size != known.size:
        raise InputError(f'{known.file} has {size:,} bytes, the published one {known.size:,}: {remedy}')
    digest = sha256(path)
    if not digest.startswith(known.sha256):
        raise InputError(
            f'{known.file} has the sha256 {digest}, the published one begins with {known.sha256}: {remedy}'
        )


def _reason(error: Exception, known: KnownWeights, part: Path, path: Path) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f'no space for {part}: {error.strerror}; what is there is kept: free some space and run this again'
    if isinstance(error, PermissionError):
        return f'cannot write {part}: {error.strerror}; name a folder of yours with --dir'
    return f'cannot fetch {known.url}: {error}; what is there is kept: run this again to go on, or {_by_hand(path)}'


def _by_hand(path: Path) -> str:
    return f'fetch it by other means and put it at {path}'
