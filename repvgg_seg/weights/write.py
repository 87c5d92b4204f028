"""Checkpoint files, written without losing what was there."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from ..errors import InputError
from ..files import replacing
from ..weight_names import unwrap
from .read import TRUSTED, import_safetensors


def check_output(source: 'str | os.PathLike', target: 'str | os.PathLike', overwrite: bool = False) -> None:
    """Raise `InputError`, before any work is done, where a checkpoint made of another one must not be written.

    Args:
        source: the file that is read, as `read_checkpoint` takes it.
        target: the file to write.
        overwrite: allow to replace a file; never the source itself, which may not be got back from what is made of it.
    """
    source, target = Path(os.fspath(source).removeprefix(TRUSTED)).expanduser(), Path(target)
    if source.exists() and target.exists() and source.samefile(target):
        raise InputError(
            f'{target} is the checkpoint itself, which cannot be got back from what is made of it: name another file'
        )
    if target.is_dir():
        raise InputError(f'{target} is a folder: name a file')
    if target.exists() and not overwrite:
        raise InputError(f'{target} exists: name another file, or say --overwrite')
    if not target.parent.is_dir():
        raise InputError(f'no folder {target.parent} for {target}: make it, or name another place')


def write_checkpoint(checkpoint: Mapping, filename: 'str | os.PathLike') -> None:
    """Write a checkpoint under a temporary name and move it into place, so that an older file survives a failure.

    Args:
        checkpoint: a dict; into a .safetensors file go its tensors alone, as `unwrap` finds them.
        filename: the file to make or to replace.

    Raises:
        InputError: it cannot be written (no such folder, no permission, the disk is full); nothing was replaced.
    """
    path = Path(filename)
    try:
        with replacing(path) as temporary:
            if path.suffix == '.safetensors':
                tensors = {name: tensor.contiguous() for name, tensor in unwrap(checkpoint).items()}
                temporary.write_bytes(import_safetensors().save(tensors))
            else:
                torch.save(checkpoint, temporary)
    except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into a RuntimeError
        reason = getattr(error, 'strerror', None) or str(error).splitlines()[0]
        raise InputError(
            f'cannot write {path}: {reason}; nothing was replaced: free some space or name another place'
        ) from error
