"""The page of runs: its sections are put together here, and laid out in page.html.j2."""

import base64
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ...evaluation.image_scores_hook import PARTS
from ...files import replacing
from ...invocation import as_typed
from ...version import __version__
from ..runs.curves import Points, is_score
from ..runs.run import Run, read_examples
from . import facts
from .line_plot import SERIES, line_plot, number_in_words
from .pictures import embedded

PAGE_MARK = '<meta name="generator" content="repvgg_seg report">'  # tells a report from a file of somebody else
MOST_BYTES = 5_000_000  # of a page
_PICTURES = 3_200_000
_MOST_EXAMPLES = 30
_MOST_CELLS = 8000  # of all confusion matrices
_MOST_CLASSES = 40  # of a matrix that is shown whole
_POINTS = 2400  # of all lines of a plot
_FOLDER = Path(__file__).parent


@dataclass
class Plot:
    """A plot, the looks of its lines, and a few of its values as a table.

    Attributes:
        legend: (number of the look, name) of each line; empty for one line.
    """

    title: str
    svg: Markup
    legend: list[tuple[int, str]]
    table: facts.Table


@dataclass
class Confusion:
    """A confusion matrix in percent of the pixels of each label, and the classes that are most often taken for others."""

    run: str
    classes: list[str]
    rows: list[list[float | None]]
    confused: facts.Table


@dataclass
class Example:
    """An image with its label and prediction, as data URLs."""

    kind: str
    name: str
    score: str
    photograph: str
    label: str
    prediction: str


@dataclass
class Examples:
    """The examples of a run, and the colours of its classes as '#rrggbb'."""

    run: str
    form: str
    legend: list[tuple[str, str]] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


def write_page(path: str | os.PathLike[str], runs: Sequence[Run]) -> int:
    """Write the page of some runs, whole or not at all.

    Args:
        path: the HTML file.
        runs: shown side by side.

    Returns:
        Its size in bytes.
    """
    content = render(runs).encode('utf-8')
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return len(content)


def render(runs: Sequence[Run]) -> str:
    """The text of the page, shorter than `MOST_BYTES`: where it would be longer, pictures are left out first."""
    parts = _parts(runs, _PICTURES)
    text = _filled(parts)
    for budget in (_PICTURES // 4, 0):
        if len(text.encode('utf-8')) > MOST_BYTES:
            text = _filled(_parts(runs, budget))
    return text


def _filled(parts: dict[str, Any]) -> str:
    css, script = ((_FOLDER / name).read_text(encoding='utf-8') for name in ('page.css', 'slider.js'))
    css += ''.join(parts.pop('colours'))
    policy = f"default-src 'none'; img-src data:; style-src {_hash(css)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template('page.html.j2')
    return page.render(css=Markup(css), script=Markup(script), policy=policy, mark=Markup(PAGE_MARK), **parts)


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')
    return f"'sha256-{digest}'"


def _parts(runs: Sequence[Run], budget: int) -> dict[str, Any]:
    """What the template shows."""
    examples = _examples(runs, budget)
    colours = sorted({colour for part in examples for _, colour in part.legend})
    names = ', '.join(run.name for run in runs[:4]) + (f' and {len(runs) - 4} more' if len(runs) > 4 else '')
    return dict(
        title=f'Training report: {names}',
        runs=runs,
        made=time.strftime('%Y-%m-%d %H:%M'),
        version=__version__,
        trained=facts.what_was_trained(runs),
        differences=facts.config_differences(runs),
        scores=facts.scores(runs),
        forms=facts.forms(runs),
        speed=facts.speed_and_memory(runs),
        versions=facts.versions(runs),
        plots=_plots(runs),
        class_scores=_class_scores(runs),
        confusions=_confusions(runs),
        examples=examples,
        commands=[(run.name, *_command(run)) for run in runs],
        bars=len(runs) <= 3,
        colours=[f'.c{colour[1:]}{{fill:{colour}}}\n' for colour in colours],
    )


def _plots(runs: Sequence[Run]) -> list[Plot]:
    """Loss, learning rate and scores over the training."""
    plots = [
        _plot('Loss', 'iteration', {run.name: run.curves.training.get('loss', []) for run in runs}),
        _plot('Learning rate', 'iteration', {run.name: _learning_rate(run) for run in runs}),
    ]
    names = dict.fromkeys(name for run in runs for name in run.curves.validation if is_score(name))
    for name in sorted(names, key=lambda name: (name != 'mIoU', name != 'top1'))[:3]:
        for step in sorted({run.curves.validation_step for run in runs}):
            lines = {
                run.name: run.curves.validation.get(name, []) for run in runs if run.curves.validation_step == step
            }
            plots.append(_plot(f'{name} on the validation set, in percent', step, lines, mark=True))
    return [plot for plot in plots if plot is not None]


def _learning_rate(run: Run) -> Points:
    return run.curves.training.get('lr') or run.curves.training.get('base_lr') or []


def _plot(title: str, x_label: str, lines: Mapping[str, Points], mark: bool = False) -> Plot | None:
    """A plot of the lines that have points; None where none has."""
    lines = {name: points for name, points in lines.items() if points}
    svg = line_plot(title, x_label, lines, max(40, min(400, _POINTS // max(len(lines), 1))), mark)
    if not svg:
        return None
    table = facts.Table(f'{title}: some values', ['run', x_label, 'value'])
    for name, points in lines.items():
        shown = points[:: -(-len(points) // max(2, 12 // len(lines)))]
        shown = shown if shown[-1] == points[-1] else [*shown, points[-1]]
        table.rows += [[name, number_in_words(x), number_in_words(y)] for x, y in shown]
    legend = [(number % SERIES, name) for number, name in enumerate(lines)] if len(lines) > 1 else []
    return Plot(title, svg, legend, table)


def _class_scores(runs: Sequence[Run]) -> dict[str, Any]:
    """IoU of every class and run, `dict(names=runs, rows=[(class, [IoU or None, ...])])`."""
    tables = {
        run.name: record['per_class'] for run in runs if (record := _main_record(run)[1]) and _has_classes(record)
    }
    classes = dict.fromkeys(name for table in tables.values() for name in table)
    rows = [(name, [_number(facts.look_up(table, name, 'IoU')) for table in tables.values()]) for name in classes]
    return dict(names=list(tables), rows=rows)


def _has_classes(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get('per_class'), dict) and bool(record['per_class'])


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value == value else None


def _main_record(run: Run) -> tuple[str, dict[str, Any], Path]:
    """The form, the record and its folder that stand for a run: of the fused form, where there is one."""
    for form in ('fused', 'optimized', *run.records):
        if form in run.records:
            return form, *run.records[form]
    return '', {}, Path()


def _confusions(runs: Sequence[Run]) -> list[Confusion]:
    """The matrix of each run that has one, or, of one too large, its largest members alone."""
    found, cells = [], 0
    for run in runs:
        _, record, _ = _main_record(run)
        counts = record.get('confusion')
        classes = list(record['per_class']) if _has_classes(record) else []
        if not isinstance(counts, list) or not all(isinstance(row, list) and len(row) == len(counts) for row in counts):
            continue
        if len(classes) != len(counts):
            classes = [str(number) for number in range(len(counts))]
        shares = [[100 * pixels / sum(row) if sum(row) else None for pixels in row] for row in counts]
        pairs = sorted(
            (
                (share, classes[i], classes[j])
                for i, row in enumerate(shares)
                for j, share in enumerate(row)
                if share and i != j
            ),
            key=lambda pair: -pair[0],
        )
        confused = facts.Table('Most often confused', ['label', 'predicted as', 'share of its pixels'])
        confused.rows = [[label, prediction, f'{share:.1f} %'] for share, label, prediction in pairs[:8]]
        cells += len(counts) ** 2
        whole = len(counts) <= _MOST_CLASSES and cells <= _MOST_CELLS
        found.append(Confusion(run.name, classes, shares if whole else [], confused))
    return found


def _examples(runs: Sequence[Run], budget: int) -> list[Examples]:
    """The examples of every run, within a budget of bytes; of many runs, fewer examples each."""
    indices = []
    for run in runs:
        form, record, folder = _main_record(run)
        if index := read_examples(record, folder):
            indices.append((run, form, index))
    share = max(1, _MOST_EXAMPLES // max(len(indices), 1))
    chosen = [(run, form, index, _ends(index['examples'], share)) for run, form, index in indices[:_MOST_EXAMPLES]]
    files = [example[part] for *_, examples in chosen for example in examples for part in PARTS]
    urls = iter(embedded(files, budget))
    found = []
    for run, form, index, examples in chosen:
        legend = [
            (str(name), '#{:02x}{:02x}{:02x}'.format(*colour))
            for name, colour in zip(index.get('classes') or (), index.get('palette') or (), strict=False)
            if _is_colour(colour)
        ]
        shown = Examples(run.name, form, legend)
        for example in examples:
            pictures = [next(urls) for _ in PARTS]
            if all(pictures):
                score = _number(example.get('mIoU'))
                words = facts.NOTHING if score is None else f'{score:.1f}'
                shown.examples.append(Example(str(example.get('kind')), str(example.get('name')), words, *pictures))  # type: ignore[arg-type]
        if shown.examples:
            found.append(shown)
        else:
            _note(run, 'The pictures of the examples cannot be read, or make the page too large.')
    return found


def _note(run: Run, sentence: str) -> None:
    """Note once what is missing."""
    if sentence not in run.missing:
        run.missing.append(sentence)


def _is_colour(colour: Any) -> bool:
    return isinstance(colour, list) and len(colour) == 3 and all(isinstance(c, int) and 0 <= c < 256 for c in colour)


def _ends(examples: Sequence[Any], share: int) -> list[Any]:
    """As many of the first (worst) and of the last (best) as make a share."""
    if len(examples) <= share:
        return list(examples)
    last = share // 2
    return [*examples[: share - last], *examples[len(examples) - last :]]


def _command(run: Run) -> tuple[str, str]:
    """The command that repeats a run, and what is known of it."""
    if run.commands:
        processes = run.started.get('processes') or 1
        more = f', in {processes} processes' if processes > 1 else ''
        sessions = max(1, len(run.curves.sessions))
        some = f'; {sessions} sessions, of which {len(run.commands)} noted theirs' if sessions > 1 else ''
        return '\n'.join(run.commands), f'As it was typed{more}{some}.'
    if run.config_file is not None:
        return as_typed('train', run.config_file, '--work-dir', 'NEW_DIR'), (
            'The run did not note its command; this is with the config that it stored, which holds the options that changed it.'
        )
    return '', 'Neither the command nor a config is known.'
