"""The scalars of a training, put together from the sessions between which it was resumed."""

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Points = list[tuple[float, float]]
# What stands in a line of scalars beside what was measured.
_STEPS = {'step', 'iter', 'epoch'}


@dataclass
class Curves:
    """The scalars of a run.

    Attributes:
        training: values by iteration, of each scalar of the training ('loss', 'lr', 'time', ...).
        validation: values by iteration, or by epoch, of each scalar of the validations ('mIoU', ...).
        validation_step: what validations are counted in, 'iteration' or 'epoch'.
        sessions: (name of the folder, first iteration, last iteration) of each.
        notes: what a reader should know of how the sessions were put together.
    """

    training: dict[str, Points] = field(default_factory=dict)
    validation: dict[str, Points] = field(default_factory=dict)
    validation_step: str = 'iteration'
    sessions: list[tuple[str, int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def last_iteration(self) -> int | None:
        """The last iteration that was logged."""
        return max((last for _, _, last in self.sessions), default=None)


def scalar_files(work_dir: Path) -> list[Path]:
    """The file of scalars of each session of a work dir, the earliest first; a session that logged nothing has none."""
    found = []
    for folder in sorted(path for path in work_dir.glob('*/vis_data') if path.is_dir()):
        files = [folder / 'scalars.json', *sorted(folder.glob('*.json'))]
        found += [file for file in files if file.is_file() and file.stat().st_size][:1]
    return found


def read_curves(files: list[Path]) -> Curves:
    """Read the scalars of sessions, the earliest first.

    Where a session goes on from an iteration before the end of an earlier one, its values replace the earlier ones.

    Args:
        files: lines of JSON, as mmengine's `LocalVisBackend` writes them. What is no such line is left out, and said.
    """
    curves = Curves()
    lines: list[tuple[int, bool, dict[str, float]]] = []
    for file in files:
        entries, broken = _entries(file)
        name = file.parent.parent.name if file.name == 'scalars.json' else file.stem
        if broken:
            curves.notes.append(f'{name}: {broken} lines of its scalars cannot be read; they are left out')
        new = [line for entry in entries if (line := _line(entry))]
        trained = [step for step, is_training, _ in new if is_training]
        if any('epoch' in entry for entry in entries):
            curves.validation_step = 'epoch'
        if not trained:
            lines += new
            continue
        first, last = min(trained), max(trained)
        replaced = [step for step, is_training, _ in lines if is_training and step >= first]
        if replaced:
            curves.notes.append(
                f'resumed in {name} at iteration {first} or shortly before: what earlier sessions had computed up to '
                f'iteration {max(replaced)} was computed again, and is shown as it was the last time'
            )
        elif curves.sessions:
            curves.notes.append(f'resumed in {name}, shortly before iteration {first}')
        again = min((step for step, is_training, _ in new if not is_training), default=math.inf)
        starts = {True: first, False: again if curves.validation_step == 'epoch' else first}
        lines = [line for line in lines if line[0] < starts[line[1]]] + new
        curves.sessions.append((name, first, last))
    for is_training, target in ((True, curves.training), (False, curves.validation)):
        values: defaultdict[str, dict[int, float]] = defaultdict(dict)
        for step, kind, scalars in lines:
            if kind is is_training:
                for key, value in scalars.items():
                    values[key][step] = value
        target.update({key: sorted((float(x), y) for x, y in points.items()) for key, points in values.items()})
    return curves


def _entries(file: Path) -> tuple[list[dict[str, Any]], int]:
    """The lines of a file that hold a dict, and the number of the others."""
    entries, broken = [], 0
    for text in file.read_text(encoding='utf-8', errors='replace').splitlines():
        if not text.strip():
            continue
        try:
            entry = json.loads(text)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            entries.append(entry)
        else:
            broken += 1
    return entries, broken


def _line(entry: dict[str, Any]) -> tuple[int, bool, dict[str, float]] | None:
    """(step, whether it is of the training, values by name) of a line; None for one without a step."""
    is_training = 'iter' in entry
    step = entry.get('iter', entry.get('step'))
    if not isinstance(step, (int, float)) or not math.isfinite(step):
        return None
    values = {
        key: float(value)
        for key, value in entry.items()
        if key not in _STEPS and isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    return int(step), is_training, values


def is_score(name: str) -> bool:
    """Whether a scalar of a validation is a score, and no time."""
    return name.rsplit('/', 1)[-1] not in ('time', 'data_time', 'memory') and 'loss' not in name
