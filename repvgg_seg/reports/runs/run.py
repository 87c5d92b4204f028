"""One training run, found by its work dir, its checkpoint or its record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...evaluation.image_scores_hook import INDEX, PARTS
from ...files import sha256
from ...invocation import as_typed
from ...weights.read import read_checkpoint
from ...weights.stored_config import stored_config
from ..record import read_record
from ..run_record import read_run_record
from .curves import Curves, read_curves, scalar_files

_WEIGHTS = ('.pth', '.pt', '.safetensors')


@dataclass
class Run:
    """What is known of a run.

    Attributes:
        name: shown for it, unlike those of the runs beside it.
        work_dir: None where there is only a checkpoint or a record.
        checkpoint: the file of its weights; None where there is none.
        records: what tools/test.py wrote of it, by form ('fused', 'training form', ...), each with the folder that it is in.
        config: None where none is stored; nothing in it has been run.
        config_file: a file with that config.
        started: what the last training session noted of itself; empty for one of an earlier version.
        commands: those of all its sessions, as far as they noted them.
        curves: of its log.
        comparison: of the fused form with the training form, where they were compared.
        missing: what cannot be shown, and why; a sentence each.
    """

    name: str
    work_dir: Path | None = None
    checkpoint: Path | None = None
    records: dict[str, tuple[dict[str, Any], Path]] = field(default_factory=dict)
    config: Mapping[str, Any] | None = None
    config_file: Path | None = None
    started: dict[str, Any] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    curves: Curves = field(default_factory=Curves)
    comparison: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """The `meta` of the checkpoint; empty without one, and where it cannot be read."""
        if self.checkpoint is None:
            return {}
        try:
            meta = read_checkpoint(self.checkpoint).get('meta')
        except InputError as error:
            self.missing.append(f'The checkpoint cannot be used: {error}.')
            self.checkpoint = None
            return {}
        return dict(meta) if isinstance(meta, Mapping) else {}


def find_runs(paths: Sequence[str]) -> list[Run]:
    """The runs that the command line names, with different names.

    Raises:
        InputError: a path leads to nothing that a run leaves.
    """
    runs = [find_run(path) for path in dict.fromkeys(paths)]
    names = [run.name for run in runs]
    for run, path in zip(runs, dict.fromkeys(paths), strict=True):
        if names.count(run.name) > 1:
            run.name = Path(path).as_posix()
    return runs


def find_run(text: str) -> Run:
    """The run of a work dir, of a checkpoint, or of a record of tools/test.py.

    Raises:
        InputError: there is no such file or folder, or it holds nothing that a run leaves.
    """
    path = Path(text)
    if path.is_dir():
        return _of_work_dir(path)
    if not path.is_file():
        raise InputError(
            f'no run {text}: give a work dir of {as_typed("train")}, a checkpoint, or a JSON file of its test'
        )
    if path.suffix in _WEIGHTS:
        return _of_checkpoint(path)
    record = read_record(path)
    if record is not None and isinstance(record.get('metrics'), dict):
        run = Run(path.stem)
        run.records[str(record.get('form'))] = (record, path.parent)
        run.missing.append('A record alone has no curves and no config: give the work dir to show them.')
        return run
    if path.suffix in ('.json', '.jsonl') and (curves := read_curves([path])).training:
        return Run(path.stem, curves=curves, missing=['A log alone has no config, scores and checkpoint.'])
    raise InputError(
        f'{text} is no run: give a work dir of {as_typed("train")}, a checkpoint ({", ".join(_WEIGHTS)}), or a JSON file that '
        f'{as_typed("test")} --result wrote'
    )


def _of_work_dir(folder: Path, checkpoint: Path | None = None) -> Run:
    run = Run(folder.resolve().name, work_dir=folder)
    files = scalar_files(folder)
    run.curves = read_curves(files)
    sessions = sorted(path.parent for path in folder.glob('*/vis_data') if path.is_dir())
    session = files[-1].parent.parent if files else sessions[-1] if sessions else None
    if session is not None:
        run.started = read_run_record(session)
    notes = [read_run_record(file.parent.parent) for file in files] or [run.started]
    run.commands = [str(note['command']) for note in notes if 'command' in note]
    run.config, run.config_file = _config_of(folder, session)
    run.checkpoint = checkpoint or _checkpoint_in(folder)
    run.records = _records_in(run)
    if run.config is None and run.checkpoint is None and not files and not run.records:
        raise InputError(
            f'{folder} is no work dir of {as_typed("train")}: it has no config, no log and no checkpoint; give another'
        )
    if not files:
        run.missing.append(f'There are no curves: {folder} has no log of scalars (vis_data/scalars.json).')
    if run.checkpoint is None:
        run.missing.append('There is no checkpoint yet, so nothing could be evaluated.')
    return run


def _of_checkpoint(path: Path) -> Run:
    if any(path.parent.glob('*/vis_data')):
        run = _of_work_dir(path.parent, path)
        run.name = f'{run.name}/{path.name}'
        return run
    meta = read_checkpoint(path).get('meta')  # the error of a broken one is the answer here
    run = Run(path.name, checkpoint=path)
    config = stored_config(meta) if isinstance(meta, Mapping) else None
    run.config = None if config is None else config.to_dict()
    run.missing.append(f'There are no curves: no log is beside {path}.')
    if run.config is None:
        run.missing.append(f'{path} has no config, so nothing could be evaluated: give the work dir of its training.')
    return run


def _config_of(folder: Path, session: Path | None) -> tuple[Mapping[str, Any] | None, Path | None]:
    """The config of a session, read without running it, and a file that holds it, of the name of the training's if possible."""
    own = sorted(folder.glob('*.py'))
    of_session = [session / 'vis_data' / 'config.py'] if session else []
    for file in [*own, *of_session] if len(own) == 1 else [*of_session, *own]:
        try:
            config = stored_config(dict(cfg=file.read_text(encoding='utf-8')))
        except (OSError, ValueError):
            continue
        if config is not None:
            return config.to_dict(), file
    return None, None


def _checkpoint_in(folder: Path) -> Path | None:
    """The best checkpoint of a work dir, otherwise its last; None without one."""
    found = [path for path in folder.iterdir() if path.suffix in _WEIGHTS and path.is_file() and path.name[0] != '.']
    best = [path for path in found if path.name.startswith('best_')]
    return max(best or found, key=lambda path: (path.stat().st_mtime, path.name), default=None)


def _records_in(run: Run) -> dict[str, tuple[dict[str, Any], Path]]:
    """What tools/test.py recorded of the checkpoint of a run, below its work dir; the newest of each form."""
    assert run.work_dir
    paths = [path for pattern in ('*.json', '*/*.json', '*/*/*.json') for path in run.work_dir.glob(pattern)]
    found = {}
    for path in sorted(set(paths), key=lambda path: path.stat().st_mtime):
        record = read_record(path)
        if record and isinstance(record.get('metrics'), dict) and _is_of_checkpoint(record, run):
            found[str(record.get('form'))] = (record, path.parent)
    return found


def _is_of_checkpoint(record: Mapping[str, Any], run: Run) -> bool:
    """Whether a record is of the checkpoint of a run, or of one with the same training, such as its fused form."""
    checkpoint = record.get('checkpoint')
    if run.checkpoint is None or not isinstance(checkpoint, dict):
        return run.checkpoint is None
    if checkpoint.get('sha256') == sha256(run.checkpoint):
        return True
    training = record.get('training') or {}
    return bool(training) and (training.get('iterations'), training.get('seed')) == (
        run.meta.get('iter'),
        run.meta.get('seed'),
    )


def read_examples(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The list of examples that a record names, with the paths of their pictures; empty where there is none."""
    if not record.get('examples'):
        return {}
    place = folder / str(record['examples'])
    try:
        index = json.loads((place / INDEX).read_text(encoding='utf-8'))
        for example in index['examples']:
            for part in PARTS:
                example[part] = place / Path(example[part]).name
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(index)
