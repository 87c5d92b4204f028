"""The tables of README.md, made from the records in results/."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from .benchmark_table import benchmark_page
from .markdown import markdown_table
from .record import read_record

BEGIN, END = '<!-- results: begin -->', '<!-- results: end -->'
_BETWEEN = re.compile(f'(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})', re.DOTALL)
# The benchmarks that README.md shows as a whole, with their headings; of the others it names the pages.
SHOWN = {'benchmark_optimized_cpu': 'Speed on a CPU, one thread: training form, fused, optimized'}
CHECKS = 'checks'  # the folder of records that show that something works, whose scores say nothing of the networks
# The metrics of each kind of network.
SCORES = {'Segmentation': ('mIoU', 'mAcc', 'aAcc'), 'Classification': ('top1', 'top5')}


def find_project(start: Path) -> Path:
    """The nearest folder, from `start` upwards, whose README.md has a place for the tables and which has results/.

    Raises:
        InputError: there is no such folder.
    """
    for folder in (start, *start.parents):
        readme = folder / 'README.md'
        if (folder / 'results').is_dir() and readme.is_file() and _BETWEEN.search(readme.read_text(encoding='utf-8')):
            return folder
    raise InputError(
        f'neither {start} nor a folder above it has results/ and a README.md with the line {BEGIN}: '
        'change into a clone of the project'
    )


def with_tables(readme: str, folder: Path) -> str:
    """The text of README.md with its tables made anew.

    Args:
        readme: the text as it is.
        folder: the folder of the project, which holds `results/`.
    """
    tables = '\n' + '\n\n'.join(_tables(folder)) + '\n\n'
    return _BETWEEN.sub(lambda _: tables, readme)


def _tables(folder: Path) -> Iterator[str]:
    """The scores, the benchmarks in `SHOWN`, and the names of the others."""
    results = folder / 'results'
    paths = (path for path in sorted(results.rglob('*.json')) if results / CHECKS not in path.parents)
    records = {path: record for path in paths if (record := read_record(path))}
    for heading, metrics in SCORES.items():
        rows = [
            _score_row(path.relative_to(folder), record, metrics)
            for path, record in records.items()
            if record.get('metrics', {}).keys() >= set(metrics)
        ]
        if rows:
            yield f'### {heading}'
            yield markdown_table(('record', 'config', 'form', 'images', *metrics, 'scored on'), rows)
    benchmarks = {path: record for path, record in records.items() if path.stem.startswith('benchmark_')}
    for path, record in benchmarks.items():
        if path.stem in SHOWN:
            yield benchmark_page(record, f'### {SHOWN[path.stem]}')
    others = [path.relative_to(folder).with_suffix('.md') for path in benchmarks if path.stem not in SHOWN]
    if others:
        yield f'More benchmarks: {", ".join(f"[{path.stem}]({path.as_posix()})" for path in others)}.'


def _score_row(path: Path, record: dict[str, Any], metrics: Sequence[str]) -> list[object]:
    """The figures of a record that tools/test.py wrote."""
    return [
        f'[{path.stem}]({path.as_posix()})',
        Path(record['config']).stem,
        record['form'],
        record['images'],
        *(f'{record["metrics"][name]:.2f}' for name in metrics),
        record['environment']['device'],
    ]
