"""The tables of README.md and docs/, made from the records in results/."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from . import architectures_table
from .ablation_page import ablation_page
from .benchmark_table import benchmark_page
from .engines_table import engines_tables
from .markdown import markdown_table
from .record import read_record, read_records

BEGIN, END = '<!-- results: begin -->', '<!-- results: end -->'
_BETWEEN = re.compile(f'(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})', re.DOTALL)
# The benchmarks that README.md shows as a whole, with their headings; of the others it names the pages.
SHOWN = {'benchmark_optimized_cpu': 'Speed on a CPU, one thread: training form, fused, optimized'}
CHECKS = 'checks'  # the folder of records that show that something works, whose scores say nothing of the networks
SHIPPED = 'camvid/pspnet_repvgg_small_camvid.json'  # the record of the network in the package
PRUNING = 'pruning'  # the folder of records of whole and pruned networks
ABLATIONS = 'ablations'  # the folder of what tools/ablation.py has written, a folder for each config; docs/ablations.md shows it
# The metrics of each kind of network.
SCORES = {'Segmentation': ('mIoU', 'mAcc', 'aAcc'), 'Classification': ('top1', 'top5')}


def find_project(start: Path) -> Path:
    """The nearest folder, from `start` upwards, whose README.md has a place for tables and which has results/.

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


def with_tables(text: str, page: str, folder: Path) -> str:
    """The text of a page with its tables made anew.

    Args:
        text: as it is.
        page: one of `PAGES`.
        folder: the folder of the project, which holds `results/`.

    Raises:
        InputError: the page has no place for tables.
    """
    if not _BETWEEN.search(text):
        raise InputError(f'{page} has no place for its tables: the lines {BEGIN} and {END}')
    tables = '\n' + '\n\n'.join(PAGES[page](folder / 'results')) + '\n\n'
    return _BETWEEN.sub(lambda _: tables, text)


def _scores_and_benchmarks(results: Path) -> Iterator[str]:
    """The scores, the benchmarks in `SHOWN`, and the names of the others."""
    elsewhere = {results / CHECKS, results / ABLATIONS}
    paths = (path for path in sorted(results.rglob('*.json')) if not elsewhere & {*path.parents})
    records = {path: record for path in paths if (record := read_record(path))}
    for heading, metrics in SCORES.items():
        rows = [
            _score_row(path.relative_to(results.parent), record, metrics)
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
    others = [path.relative_to(results.parent).with_suffix('.md') for path in benchmarks if path.stem not in SHOWN]
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


def _architectures(results: Path) -> Iterator[str]:
    record = read_record(results / f'{architectures_table.RECORD}.json')
    return architectures_table.architectures_table(record) if record else iter(())


def _shipped_network(results: Path) -> Iterator[str]:
    """The scores of the network in the package, by class."""
    record = read_record(results / SHIPPED)
    if record:
        scores = record['metrics']
        yield ', '.join(f'{name} {scores[name]:.2f}' for name in SCORES['Segmentation']) + (
            f' on {record["images"]} images, {record["form"]}, scored on {record["environment"]["device"]} '
            f'([record](../results/{SHIPPED})).'
        )
        yield _by_class(record['per_class'])


def _by_class(per_class: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(per_class.values())))
    rows = [[label, *(f'{scores[name]:.2f}' for name in names)] for label, scores in per_class.items()]
    return markdown_table(['class', *names], rows)


def _ablations(results: Path) -> Iterator[str]:
    """The table and the picture of every ablation."""
    for path, record in read_records(results / ABLATIONS, '*/ablation.json').items():
        yield ablation_page(record, f'### {path.parent.name}')
        picture = path.with_suffix('.svg')
        yield f'![Scores and speed of every block](../{picture.relative_to(results.parent).as_posix()})'


def _pruning(results: Path) -> Iterator[str]:
    """The scores in the folder of pruned networks beside the speeds of their configs in its benchmark, both forms in one row."""
    records = read_records(results / PRUNING, '*.json')
    timed = [row for record in records.values() for row in record.get('rows', ())]
    scored = [(path, record) for path, record in records.items() if 'mIoU' in record.get('metrics', {})]
    scored.sort(key=lambda item: (-_params(item[1], timed), item[0]))
    if not scored:
        return
    first = Path(scored[0][1]['config']).stem
    header, rows = ['network', 'params (M)', 'mIoU'], []
    for form in ('fused', 'optimized'):
        header += [f'{form}, images/s', f'speed / {"whole" if form == "fused" else "whole, optimized"}']
    for path, record in scored:
        name = Path(record['config']).stem
        cells: list[object] = [
            f'[{path.stem}](../{path.relative_to(results.parent).as_posix()})',
            f'{_params(record, timed):.2f}',
            f'{record["metrics"]["mIoU"]:.2f}',
        ]
        for form in ('fused', 'optimized'):
            speed, whole = _speed(timed, name, form), _speed(timed, first, form)
            cells += [f'{speed:.2f}', f'{speed / whole:.2f}'] if speed and whole else ['', '']
        rows.append(cells)
    yield markdown_table(header, rows)


def _params(record: Mapping[str, Any], timed: Sequence[Mapping[str, Any]]) -> float:
    """Parameters, in millions, of the fused network of a record; 0 where they are not known."""
    name = Path(record['config']).stem
    return next((row['params_m'] for row in timed if (row['name'], row['form']) == (name, 'fused')), 0.0)


def _speed(timed: Sequence[Mapping[str, Any]], name: str, form: str) -> float:
    return next((row['examples_per_s'] for row in timed if (row['name'], row['form']) == (name, form)), 0.0)


# The pages with tables between `BEGIN` and `END`, and what makes them out of results/.
PAGES: dict[str, Callable[[Path], Iterator[str]]] = {
    'README.md': _scores_and_benchmarks,
    'docs/ablations.md': _ablations,
    'docs/architectures.md': _architectures,
    'docs/engines.md': engines_tables,
    'docs/model_card.md': _shipped_network,
    'docs/pruning.md': _pruning,
}
