"""Records: what a command measured, as a JSON file with the environment it was measured in."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError
from ..files import check_folder_takes_files, replacing, sha256
from ..weights.read import read_checkpoint
from ..weights.stored_config import stored_config
from .environment import environment

_NUMBERS = re.compile(r'\[\n\s+[-+.\w]+(?:,\n\s+[-+.\w]+)*\n\s*\]')  # a list that holds no text, list or dict


def check_writable(path: str) -> None:
    """Check, before anything is measured, that a record can be written later; its folder is made then.

    Raises:
        InputError: its folder cannot be made or written to, or the path names a folder or a file that is not a record.
    """
    folder = Path(path).parent
    there = next(parent for parent in (folder, *folder.parents) if os.path.exists(parent))
    if not there.is_dir():
        raise InputError(f'cannot make the folder {folder}: {there} is no folder; name another place')
    if not path.strip() or Path(path).is_dir():
        raise InputError(f'cannot write {path!r}: name a file in a folder that you may write to')
    try:
        check_folder_takes_files(there)
    except OSError as error:
        raise InputError(
            f'cannot write {path} ({error.strerror}): name a file in a folder that you may write to'
        ) from None
    if Path(path).exists() and read_record(path) is None:
        raise InputError(
            f'{path} exists and is not a record of an earlier run, so it is not overwritten: name another file'
        )


def read_record(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The record in a file, also one written by an earlier version; None where the file holds anything else."""
    try:
        record = json.loads(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and 'environment' in record else None


def read_records(folder: Path, pattern: str) -> dict[Path, dict[str, Any]]:
    """The records among the files of a folder that match a glob pattern, by their paths, in the order of these."""
    return {path: record for path in sorted(folder.glob(pattern)) if (record := read_record(path))}


def write_record(
    path: str,
    *,
    device: torch.device | None = None,
    checkpoint: str | None = None,
    trust: bool = False,
    **figures: object,
) -> dict[str, Any]:
    """Write a record whole or not at all; a record of the same name is replaced.

    Args:
        path: the JSON file.
        device: what was measured ran on it; by default the GPU where there is one.
        checkpoint: the file that was measured, which the record then describes.
        trust: read a checkpoint that runs code when read.
        figures: what was measured and with which settings, as JSON can hold it.

    Returns:
        The record.
    """
    record = dict(figures)
    if checkpoint is not None:
        record['checkpoint'] = dict(name=Path(checkpoint).name, sha256=sha256(checkpoint))
        record['training'] = training_facts(read_checkpoint(checkpoint, trust).get('meta', {}))
    record['environment'] = environment(device or torch.device('cuda' if torch.cuda.is_available() else 'cpu'))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(_as_json(record), encoding='utf-8')
    return record


def _as_json(record: Mapping[str, Any]) -> str:
    """The text of a record, with a list of numbers in one line."""
    return (
        _NUMBERS.sub(
            lambda found: ' '.join(found[0].split()).replace('[ ', '[').replace(' ]', ']'), json.dumps(record, indent=2)
        )
        + '\n'
    )


def training_facts(meta: Mapping[str, Any]) -> dict[str, Any]:
    """How a checkpoint was trained, from the `meta` that mmengine wrote into it; empty where there is none."""
    cfg = stored_config(meta)
    if cfg is None:
        return {}
    optim_wrapper = cfg.get('optim_wrapper') or {}
    return dict(
        iterations=meta.get('iter'),
        epochs=meta.get('epoch'),
        seed=meta.get('seed'),
        schedule=cfg.get('param_scheduler'),
        optimizer=optim_wrapper.get('optimizer'),
        optim_wrapper=optim_wrapper.get('type'),  # tells mixed precision
        batch_size=(cfg.get('train_dataloader') or {}).get('batch_size'),
        initialised_from=initialised_from(cfg),
    )


def initialised_from(cfg: Mapping[str, Any]) -> Any:
    """The weights that a run began with; the `load_from` of one that was resumed is its own checkpoint."""
    if cfg.get('load_from') and not cfg.get('resume'):
        return cfg['load_from']
    model = cfg.get('model') or {}
    init_cfg = model.get('backbone', model).get('init_cfg')
    return init_cfg.get('checkpoint') if isinstance(init_cfg, Mapping) else None
