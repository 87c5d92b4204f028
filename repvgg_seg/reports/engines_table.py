"""The tables of docs/engines.md: how fast every network is in every engine, and what 8 bits cost and gain."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .benchmark_table import Row, settings_and_environment
from .markdown import markdown_table
from .record import read_records

ENGINES = 'benchmark_engines*_cpu.json'  # of `tools/benchmark.py engines`
FASTEST = 'benchmark_engines_cpu.json'  # of them, that of PyTorch and the fastest engine in one run
INT8 = 'benchmark_int8_*.json'  # of `tools/benchmark.py segmentors --engine`, with the file in fp32 as the baseline
AS_MMSEG = 'as mmseg'  # in the form of a row: of the network without our rewrites
SCORES = Path('checks', 'engines')  # of `tools/test.py --engine`, for the same files


def engines_tables(results: Path) -> Iterator[str]:
    """The tables, as far as their records are there."""
    more = read_records(results, ENGINES)
    record = more.pop(results / FASTEST, None)
    if record:
        reference = _reference(record)
        yield (
            f'The fastest of each network, as mmseg computes it and by our rewrites; {reference["name"]}: {reference["form"]} counts as 1 '
            f'({_link(results / FASTEST, "all rows")}).'
        )
        yield _fastest_of_each(record, reference)
        yield settings_and_environment(record)
        others = f' (also from {", ".join(map(_link, more))})' if more else ''
        yield (
            'How many times as fast each network is as fused in PyTorch in fp32, beside it in the same run, and in brackets the relative '
            f'error of the exported file{others}.'
        )
        yield _every_engine([record, *more.values()])
    scores = dict(_scores(results / SCORES))
    records = read_records(results, INT8)
    if records:
        yield 'The test set of CamVid; OpenVINO in fp32 counts as 1 for each network.'
        yield markdown_table(
            ('network', 'engine', 'mIoU', 'speed', 'record'),
            [
                [
                    row['name'],
                    row['form'],
                    f'{scores[key]:.2f}' if (key := f'{row["name"]}_{row["form"]}') in scores else '',
                    f'{row["ratio"]:.2f}',
                    _link(path),
                ]
                for path, found in records.items()
                for row in found['rows']
            ],
        )
        yield settings_and_environment(next(iter(records.values())))


def _link(path: Path, text: str | None = None) -> str:
    """From a page of docs/ to the table of a record, by its name or another text."""
    return f'[{text or path.stem}](../results/{path.stem}.md)'


def _reference(record: Mapping[str, Any]) -> Row:
    """The fastest row, as mmseg computes it, of the network that the baseline of the record is of."""
    name = record['settings']['baseline'].split(':')[0]
    return min((row for row in record['rows'] if row['name'] == name and AS_MMSEG in row['form']), key=_time)


def _time(row: Row) -> float:
    return float(row['ms'])


def _fastest_of_each(record: Mapping[str, Any], reference: Row) -> str:
    """One line for each network, and one for each as mmseg computes it: its fastest row, with its speed by the reference."""
    groups: dict[tuple[str, bool], list[Row]] = {}
    for row in record['rows']:
        groups.setdefault((row['name'], AS_MMSEG in row['form']), []).append(row)
    lines = []
    paper = 'paper_examples_per_s'
    for (name, _), rows in groups.items():
        best = min(rows, key=_time)
        lines.append(
            [
                name,
                _engine(best),
                f'{best["ms"]:.0f}',
                f'{best["ratio"] / reference["ratio"]:.2f}',
                f'{best[paper] / reference[paper]:.2f}' if paper in best else '',
                f'{best.get("times_fused", 1):.2f}',
            ]
        )
    return markdown_table(('config', 'fastest', 'ms', 'speed', 'speed, paper', 'speed / fused in PyTorch'), lines)


def _engine(row: Row) -> str:
    return row['form'] if 'engine' in row else f'{row["form"]} (PyTorch)'


def _every_engine(records: Sequence[Mapping[str, Any]]) -> str:
    """One line for each network, and one for each as mmseg computes it; the first record that has a cell fills it."""
    cells: dict[str, dict[str, str]] = {}
    rows = [row for record in records for row in record['rows'] if row['form'] != 'fused']
    for row in rows:
        engine, comma, as_mmseg = _engine(row).partition(', ')
        speed = f'{row["times_fused"]:.2f}' if 'times_fused' in row else ''
        error = f' ({row["relative_error"]:.0e})' if 'relative_error' in row else ''
        cells.setdefault(row['name'] + comma + as_mmseg, {}).setdefault(engine, speed + error)
    engines = list(dict.fromkeys(engine for line in cells.values() for engine in line))
    return markdown_table(
        ('config', *engines),
        [[name, *(line.get(engine, '') for engine in engines)] for name, line in cells.items()],
    )


def _scores(folder: Path) -> Iterator[tuple[str, float]]:
    """The mIoU of every record, by its name, which is that of a row and its form."""
    for path, record in read_records(folder, '*.json').items():
        yield path.stem, record['metrics']['mIoU']
