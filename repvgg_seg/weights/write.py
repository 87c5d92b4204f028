"""Writing checkpoint files; a file that exists survives a write that fails."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from ..errors import InputError
from ..files import replacing
from ..weight_names import unwrap
from .read import META_KEY, path_of


def check_output(source: str | os.PathLike[str], target: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Check, before any work is done, that a checkpoint made from another one may be written.

    Args:
        source: the file that is read, as `read_checkpoint` takes it.
        target: the file to write.
        overwrite: allow `target` to exist. It may never be the source, which cannot be recovered from a fused file.

    Raises:
        InputError: the target is the source, a folder, an existing file, or in a folder that does not exist.
    """
    source, target = path_of(source), Path(target)
    if source.exists() and target.exists() and source.samefile(target):
        raise InputError(
            f'{target} is the checkpoint itself, which cannot be recovered from what is made of it: name another file'
        )
    if target.is_dir():
        raise InputError(f'{target} is a folder: name a file')
    if target.exists() and not overwrite:
        raise InputError(f'{target} exists: name another file, or say --overwrite')
    if not target.parent.is_dir():
        raise InputError(f'no folder {target.parent} for {target}: make it, or name another place')


def write_checkpoint(checkpoint: Mapping[str, Any], filename: str | os.PathLike[str]) -> None:
    """Write a checkpoint under a temporary name and move it into place, so that an older file survives a failure.

    Args:
        checkpoint: a dict. A .safetensors file gets its tensors, as `unwrap` finds them, and as much of `meta` as JSON can
            hold, such as the classes and the config, in its header, where `read_meta` finds it.
        filename: the file to create or to replace.

    Raises:
        InputError: it cannot be written (no such folder, no permission, a full disk); nothing was replaced.
    """
    path = Path(filename)
    try:
        with replacing(path) as temporary:
            if path.suffix == '.safetensors':
                tensors = {name: tensor.contiguous() for name, tensor in unwrap(checkpoint).items()}
                header = dict(format='pt') | ({META_KEY: _as_json(checkpoint['meta'])} if 'meta' in checkpoint else {})
                temporary.write_bytes(safetensors.torch.save(tensors, header))
            else:
                torch.save(checkpoint, temporary)
    except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into a RuntimeError
        reason = getattr(error, 'strerror', None) or str(error).splitlines()[0]
        raise InputError(
            f'cannot write {path}: {reason}; nothing was replaced: free some space or name another place'
        ) from error


def _as_json(meta: Mapping[str, Any]) -> str:
    """The entries of a `meta` that JSON can hold, arrays and scalars of numpy as lists and numbers."""
    texts = {}
    for key, value in meta.items():
        try:
            texts[key] = json.loads(json.dumps(value, default=lambda item: item.tolist()))
        except (AttributeError, TypeError, ValueError):
            continue
    return json.dumps(texts)
