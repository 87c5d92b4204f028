"""What a command measured, as a file that stands in `results/`."""

import json
import os
from pathlib import Path

import torch

from ..errors import InputError
from ..files import replacing
from ..weights.read import read_checkpoint, sha256
from ..weights.stored_config import stored_config
from .environment import environment


def check_writable(path: str) -> None:
    """Make the folder of a record that is to be written later; `InputError` where that will not do."""
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'cannot make the folder {folder}: {error.strerror}; name another place') from None
    if Path(path).is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f'cannot write {path}: name a file in a folder that you may write to')
    if Path(path).exists() and not _is_record(path):
        raise InputError(
            f'{path} exists and is no record of an earlier run, so it is not overwritten: name another file'
        )


def _is_record(path: str) -> bool:
    try:
        return 'environment' in json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return False


def write_record(path: str, *, checkpoint: str, trust: bool = False, **figures) -> None:
    """Write figures as JSON, with what is known of the checkpoint and the environment they were measured in.

    The file is put in place whole; a record of the same name is replaced.
    """
    record = dict(
        figures,
        checkpoint=dict(name=Path(checkpoint).name, sha256=sha256(checkpoint)),
        training=training_facts(read_checkpoint(checkpoint, trust).get('meta', {})),
        environment=environment(torch.device('cuda' if torch.cuda.is_available() else 'cpu')),
    )
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + '\n')


def training_facts(meta: dict) -> dict:
    """How a checkpoint came about, out of the `meta` that mmengine wrote beside it; empty where there is none."""
    cfg = stored_config(meta)
    if cfg is None:
        return {}
    return dict(
        iterations=meta['iter'],
        epochs=meta['epoch'],
        seed=meta['seed'],
        schedule=cfg.param_scheduler,
        optimizer=cfg.optim_wrapper.optimizer,
        optim_wrapper=cfg.optim_wrapper.type,  # tells mixed precision
        batch_size=cfg.train_dataloader.batch_size,
        initialised_from=cfg.load_from
        or (cfg.model.get('backbone', cfg.model).get('init_cfg') or {}).get('checkpoint'),
    )
