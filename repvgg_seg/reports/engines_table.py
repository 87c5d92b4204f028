"""The tables of docs/engines.md: how fast every network is in every engine, and what 8 bits cost and gain."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .benchmark_table import Row, settings_and_environment
from .markdown import markdown_table
from .record import read_record

ENGINES = 'benchmark_engines_cpu'  # of `tools/benchmark.py engines`
INT8 = 'benchmark_int8_*'  # of `tools/benchmark.py segmentors --engine`, with the file in fp32 as the baseline
AS_MMSEG = 'as mmseg'  # in the form of a row: of the network without our rewrites
SCORES = Path('checks', 'engines')  # of `tools/test.py --engine`, for the same files


def engines_tables(results: Path) -> Iterator[str]:
    """Both tables, as far as their records are there."""
    record = read_record(results / f'{ENGINES}.json')
    if record:
        reference = _reference(record)
        yield (
            f'The fastest of each network, as mmseg computes it and by our rewrites; {reference["name"]}: {reference["form"]} counts as 1 '
            f'([all rows](../results/{ENGINES}.md)).'
        )
        yield _fastest_of_each(record, reference)
        yield settings_and_environment(record)
    scores = dict(_scores(results / SCORES))
    records = {path: found for path in sorted(results.glob(f'{INT8}.json')) if (found := read_record(path))}
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
                    f'[{path.stem}](../results/{path.stem}.md)',
                ]
                for path, found in records.items()
                for row in found['rows']
            ],
        )
        yield settings_and_environment(next(iter(records.values())))


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
    for (name, _), rows in groups.items():
        best = min(rows, key=_time)
        lines.append(
            [
                name,
                best['form'],
                f'{best["ms"]:.0f}',
                f'{best["ratio"] / reference["ratio"]:.2f}',
                f'{best.get("times_fused", 1):.2f}',
            ]
        )
    return markdown_table(('config', 'fastest', 'ms', 'speed', 'speed / fused in PyTorch'), lines)


def _scores(folder: Path) -> Iterator[tuple[str, float]]:
    """The mIoU of every record, by its name, which is that of a row and its form."""
    for path in sorted(folder.glob('*.json')):
        record = read_record(path)
        if record:
            yield path.stem, record['metrics']['mIoU']
