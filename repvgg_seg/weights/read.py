"""Reading checkpoint files without running any code that is in them."""

import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from torch import Tensor
from torch.types import Storage

from ..errors import InputError
from .published import missing_weights_message

TRUSTED = 'trusted://'
MapLocation = str | torch.device | dict[str, str] | Callable[[Storage, str], Storage] | None

META_KEY = 'repvgg_seg.meta'  # of the header of a .safetensors file, which maps text to text
_UNFOLDED = 20  # times the size of a file that its tensors may take in memory; torch.save writes without compression
_ALWAYS = 64 << 20  # bytes that they may take in any case
_LFS_POINTER = b'version https://git-lfs'
_FETCH_AGAIN = 'fetch it again and compare its size with the one that its source names; of a run of your own, take the checkpoint before'


def read_checkpoint(
    filename: str | os.PathLike[str], trust: bool = False, map_location: MapLocation = 'cpu'
) -> dict[str, Any]:
    """Read a .safetensors file, or a file that `torch.save` wrote; nothing in it is run.

    Args:
        filename: the file. With `trusted://` before it, it is read as with `trust`, for places without that argument.
        trust: allow a pickle to call any function. Otherwise only tensors, plain containers and the few objects in
            mmengine's own checkpoints are read.
        map_location: as `torch.load` takes it.

    Raises:
        InputError: something else than a path; a file that does not exist, cannot be opened, is no checkpoint, is truncated, is empty, or needs
            `trust`.
    """
    if not isinstance(filename, (str, os.PathLike)):
        raise InputError(
            f'a checkpoint file is named by its path, got a {type(filename).__name__}: for tensors that are in memory, '
            'call model.load_state_dict(tensors)'
        )
    filename = os.fspath(filename)
    path = check_readable(filename)
    checkpoint: object
    if path.suffix == '.safetensors':
        checkpoint = _read_safetensors(path, map_location)
    else:
        checkpoint = _read_torch(path, trust or filename.startswith(TRUSTED), map_location)
    if not isinstance(checkpoint, dict):
        raise InputError(
            f'{path} holds a {type(checkpoint).__name__} and no dict of tensors: save model.state_dict(), not the model'
        )
    if not checkpoint:
        raise InputError(f'{path} holds an empty dict: there are no weights in it; use another file')
    return checkpoint


def check_readable(filename: str) -> Path:
    """The path of a checkpoint, as `read_checkpoint` takes it; only its first bytes are read.

    Raises:
        InputError: a file that does not exist, cannot be opened, is empty, or something else by mistake.
    """
    path = path_of(filename)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f'cannot read {path}: it is a pipe or a device; name a checkpoint file')
    try:
        with open(path, 'rb') as file:
            head = file.read(64)
    except FileNotFoundError:
        raise InputError(missing_weights_message(str(path))) from None
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror}; name a checkpoint file that you may read') from None
    if path.suffix == '.py':
        raise InputError(f'{path} is Python code and no checkpoint: the config comes first, then the checkpoint')
    if not head:
        raise InputError(f'{path} is empty (0 bytes): {_FETCH_AGAIN}')
    if head.startswith(_LFS_POINTER):
        raise InputError(f'{path} is a Git LFS pointer and not the weights: fetch the file itself with `git lfs pull`')
    if head.lstrip().lower().startswith((b'<!doctype', b'<html')):
        raise InputError(f'{path} is a web page and not the weights: download the file that the page offers')
    return path


def path_of(filename: str | os.PathLike[str]) -> Path:
    """The path that a checkpoint is named by, without `trusted://` and with the home folder for `~`."""
    path = Path(os.fspath(filename).removeprefix(TRUSTED))
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user
        return path


def _read_torch(path: Path, trust: bool, map_location: MapLocation) -> object:
    try:
        if not trust:
            _check_size(path, _size_in_zip(path))
        with _mmengine_objects_allowed():
            read = torch.load(path, map_location=map_location, weights_only=not trust)
        if not trust:
            _check_tensors(path, read)
        return read
    except InputError:
        raise
    except Exception as error:  # torch raises many types for broken files
        refused = re.search(r'GLOBAL ([\w.]+)|unrecognized function (.+)|but got (.+)', str(error))
        if isinstance(error, pickle.UnpicklingError) and refused:
            raise InputError(
                f'{path} holds more than tensors: reading it would run {next(filter(None, refused.groups()))}; if you '
                f'trust its author, say --trust where a tool has that option, or write {TRUSTED}{path} for its name'
            ) from None
        if isinstance(error, (ImportError, AttributeError)):
            raise InputError(f'{path} holds objects of code that is not installed here: {error}') from None
        raise InputError(_broken(path, 'checkpoint')) from None


def read_meta(filename: str | os.PathLike[str], checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The `meta` of a checkpoint: its entry, or what `write_checkpoint` has put into the header of a .safetensors file.

    Args:
        filename: the file, as `read_checkpoint` takes it.
        checkpoint: what `read_checkpoint` has returned for it.
    """
    path = path_of(filename)
    if path.suffix != '.safetensors':
        meta = checkpoint.get('meta')
    else:
        with safetensors.safe_open(path, 'pt') as file:
            text = (file.metadata() or {}).get(META_KEY, '{}')
        try:
            meta = json.loads(text)
        except (ValueError, RecursionError):
            raise InputError(f'{path}: the entry {META_KEY} of its header is no JSON: {_FETCH_AGAIN}') from None
    return meta if isinstance(meta, dict) else {}


def _read_safetensors(path: Path, map_location: MapLocation) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path, device=str(map_location or 'cpu'))
    except Exception:  # the library's own error derives from nothing narrower
        raise InputError(_broken(path, 'safetensors file')) from None


def _size_in_zip(path: Path) -> int:
    """The bytes that the entries of a zip archive take when they are unpacked; 0 for another or a broken file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except Exception:  # it raises many types for broken files, and torch reads other forms as well
        return 0


def _check_tensors(path: Path, value: object) -> None:
    """Check the tensors in a nest of containers: each has values, and copies of all fit into what the file may take.

    A tensor may repeat a single number many times without having it many times in the file.
    """
    size, seen, waiting = 0, set(), [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tensor):
            size += item.numel() * item.element_size()
            if item.layout != torch.strided or item.device.type == 'meta':
                form = "on the device 'meta', without values" if item.device.type == 'meta' else f'{item.layout}'
                raise InputError(f'{path} holds a tensor that is {form}: save dense tensors that have values')
        elif isinstance(item, (Mapping, list, tuple, set)) and id(item) not in seen:  # a container may hold itself
            seen.add(id(item))
            waiting.extend(item.values() if isinstance(item, Mapping) else item)
    _check_size(path, size)


def _check_size(path: Path, size: int) -> None:
    most = max(_ALWAYS, _UNFOLDED * path.stat().st_size)
    if size > most:
        raise InputError(
            f'{path} has {path.stat().st_size:,} bytes and would take {size:,} in memory, more than {_UNFOLDED} times as many '
            f'({most:,} are allowed): if you trust its author, say --trust where a tool has that option, or write '
            f'{TRUSTED}{path} for its name'
        )


def _broken(path: Path, kind: str) -> str:
    return f'{path} is not a {kind}, or a truncated one ({path.stat().st_size:,} bytes): {_FETCH_AGAIN}'


def _mmengine_objects_allowed() -> AbstractContextManager[None]:
    """Let torch's safe reader create the objects in mmengine's checkpoints: `HistoryBuffer` and numpy's types."""
    array: Any = np.empty(0).__reduce__()[0]  # the functions that numpy pickles an array and a scalar by
    scalar: Any = np.float64(0).__reduce__()[0]
    kinds = (np.bool_, np.int32, np.int64, np.uint32, np.float32, np.float64)
    return torch.serialization.safe_globals(
        [
            HistoryBuffer,
            (_method_of_history, 'builtins.getattr'),
            (array, 'numpy.core.multiarray._reconstruct'),
            (array, 'numpy._core.multiarray._reconstruct'),
            (scalar, 'numpy.core.multiarray.scalar'),
            (scalar, 'numpy._core.multiarray.scalar'),
            np.ndarray,
            np.dtype,
            *(type(np.dtype(kind)) for kind in kinds),
        ]
    )


def _method_of_history(owner: type, name: str) -> Callable[..., float]:
    """The part of `getattr` that a pickled `HistoryBuffer` needs; all of `getattr` would reach any object."""
    if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f'GLOBAL getattr of {owner}')
