"""Checkpoint files, read without running what is in them."""

import contextlib
import hashlib
import os
import pickle
import re
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.dist import barrier, get_local_rank
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from mmengine.utils import digit_version

from ..errors import InputError
from .published import missing_weights_message, published_sum

TRUSTED = 'trusted://'

_LFS_POINTER = b'version https://git-lfs'
_ASK_FOR_WHOLE = 'fetch it again and compare its size with the one its source names'


@CheckpointLoader.register_scheme(prefixes=('', TRUSTED), force=True)
def load_from_local(filename: str, map_location='cpu') -> dict:
    """`read_checkpoint` for mmengine, in the place of its own reader of local files.

    That one reads a file again with everything allowed where the safe way fails. So whatever names a file (the
    `Pretrained` init_cfg, `load_from`, `resume`) gets the same reading and the same messages.
    """
    return read_checkpoint(filename, map_location=map_location)


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(filename: str, map_location='cpu') -> dict:
    """`read_checkpoint` for mmengine, of an address: kept where torch keeps its downloads, one process a machine fetches.

    Published weights are compared with their sum before they are kept.
    """
    name = Path(urlparse(filename).path)
    address = hashlib.sha256(filename.encode()).hexdigest()[:8]  # files of many addresses have the same name
    path = Path(torch.hub.get_dir(), 'checkpoints', f'{name.stem}-{address}{name.suffix}')
    try:
        if get_local_rank() == 0 and not path.exists():
            _fetch(filename, path)
    finally:  # the other processes wait here, also for one that failed
        barrier()
    if not path.exists():
        raise InputError(f'cannot fetch {filename}: the first process of this machine says why')
    return read_checkpoint(path, map_location=map_location)


def _fetch(url: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=published_sum(url), progress=False)
    except (OSError, HTTPException, RuntimeError) as error:  # RuntimeError: another sum
        raise InputError(f'cannot fetch {url}: {error}; download it elsewhere and name the file') from error


def read_checkpoint(filename: 'str | os.PathLike', trust: bool = False, map_location='cpu') -> dict:
    """Read a .safetensors file or whatever `torch.save` wrote; nothing in it is run.

    Args:
        filename: the file; as `trusted://FILE` it is read as with `trust`, for places that have no such flag.
        trust: allow a pickle to call whatever it wants, which may be anything. Off, only tensors, plain containers and
            the few objects of mmengine's own checkpoints are read.
        map_location: as `torch.load` takes it.

    Raises:
        InputError: no such file, no permission, no checkpoint, a truncated one, an empty one, or one that needs trust.
    """
    filename = os.fspath(filename)
    path = Path(filename.removeprefix(TRUSTED)).expanduser()
    _check_readable(path)
    read = _read_safetensors if path.suffix == '.safetensors' else _read_torch
    checkpoint = read(path, trust or filename.startswith(TRUSTED), map_location)
    if not isinstance(checkpoint, Mapping):
        raise InputError(
            f'{path} holds a {type(checkpoint).__name__} and no dict of tensors: save model.state_dict() in place of the model'
        )
    if not checkpoint:
        raise InputError(f'{path} holds an empty dict: no weights in it; use another file')
    return checkpoint


def sha256(filename: 'str | os.PathLike') -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with open(filename, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _check_readable(path: Path) -> None:
    try:
        with open(path, 'rb') as file:
            head = file.read(64)
    except FileNotFoundError:
        raise InputError(missing_weights_message(str(path))) from None
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror}; name a checkpoint file that you may read') from None
    if not head:
        raise InputError(f'{path} is empty (0 bytes): {_ASK_FOR_WHOLE}')
    if head.startswith(_LFS_POINTER):
        raise InputError(f'{path} is a Git LFS pointer and not the weights: fetch the file itself with `git lfs pull`')
    if head.lstrip().lower().startswith((b'<!doctype', b'<html')):
        raise InputError(f'{path} is a web page and not the weights: download the file that the page offers')


def _read_torch(path: Path, trust: bool, map_location) -> object:
    try:
        with _mmengine_objects_allowed():
            return torch.load(path, map_location=map_location, weights_only=not trust)
    except Exception as error:  # on broken files torch raises nearly anything
        refused = re.search(r'GLOBAL ([\w.]+)|unrecognized function (.+)|but got (.+)', str(error))
        if isinstance(error, pickle.UnpicklingError) and refused:
            raise InputError(
                f'{path} holds more than tensors: reading it would run {next(filter(None, refused.groups()))}; if you '
                f'trust whoever made it: --trust where a tool has it, or {TRUSTED}{path} in the place of its name'
            ) from None
        if isinstance(error, (ImportError, AttributeError)):
            raise InputError(f'{path} holds objects of code that is not installed here: {error}') from None
        raise InputError(_broken(path, 'checkpoint')) from None


def _read_safetensors(path: Path, trust: bool, map_location) -> dict:
    library = import_safetensors()
    try:
        return library.load_file(path, device=str(map_location or 'cpu'))
    except Exception:  # which is what the library's own error derives from
        raise InputError(_broken(path, 'safetensors file')) from None


def _broken(path: Path, kind: str) -> str:
    return f'{path} is no {kind}, or a truncated one ({path.stat().st_size:,} bytes): {_ASK_FOR_WHOLE}'


def import_safetensors():
    try:
        import safetensors.torch
    except ImportError:
        raise InputError('.safetensors files need the package safetensors: pip install safetensors') from None
    return safetensors.torch


def _mmengine_objects_allowed():
    """Let the safe reader make what mmengine's checkpoints hold beside tensors: its log of scalars, and numpy's."""
    if digit_version(torch.__version__) < digit_version('2.6'):  # it cannot be told to
        return contextlib.nullcontext()
    core = np._core if hasattr(np, '_core') else np.core
    kinds = (np.bool_, np.int32, np.int64, np.uint32, np.float32, np.float64)
    return torch.serialization.safe_globals(
        [
            HistoryBuffer,
            (_method_of_history, 'builtins.getattr'),
            (core.multiarray._reconstruct, 'numpy.core.multiarray._reconstruct'),
            (core.multiarray._reconstruct, 'numpy._core.multiarray._reconstruct'),
            (core.multiarray.scalar, 'numpy.core.multiarray.scalar'),
            (core.multiarray.scalar, 'numpy._core.multiarray.scalar'),
            np.ndarray,
            np.dtype,
            *(type(np.dtype(kind)) for kind in kinds),
        ]
    )


def _method_of_history(owner: type, name: str):
    """All of `getattr` that a log of scalars needs; the whole of it would reach anything in the process."""
    if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f'GLOBAL getattr of {owner}')
