"""A benchmark record as a Markdown page: its figures, settings and environment."""

from collections.abc import Mapping, Sequence
from typing import Any

from .markdown import markdown_table

# One row of a benchmark: figures by the names in `COLUMNS`, as they stand in a JSON file.
Row = dict[str, Any]

# Every figure that a row may hold, in the order of the table: its name in the record, its heading and its format.
COLUMNS = {
    'name': ('model', '{}'),
    'form': ('form', '{}'),
    'size': ('size', '{}'),
    'batch': ('batch', '{}'),
    'dtype': ('dtype', '{}'),
    'images': ('images', '{}'),
    'seconds': ('seconds, start included', '{:.1f}'),
    'examples_per_s': ('examples/s', '{:.2f}'),
    'ms': ('ms', '{:.1f}'),
    'ms_quartiles': ('quartiles', '{0[0]:.1f}-{0[1]:.1f}'),
    'ratio': ('speed / baseline', '{:.2f}'),
    'times_fused': ('speed / fused', '{:.2f}'),
    'times_peer': ('speed / peer', '{:.2f}'),
    'ns_per_pixel': ('ns/pixel', '{:.0f}'),
    'peak_activations_mib': ('peak activations (MiB)', '{:.0f}'),
    'resident_mib': ('peak of the process (MiB)', '{:.0f}'),
    'in_tiles': ('in tiles', '{}'),
    'as_said': ('as documented', '{}'),
    'weights_mib': ('weights (MiB)', '{:.0f}'),
    'memory_mib': ('both (MiB)', '{:.0f}'),
    'params_m': ('params (M)', '{:.2f}'),
    'flops_b': ('FLOPs (B)', '{:.1f}'),
    'wino_muls_b': ('Wino MULs (B)', '{:.1f}'),
    'miou': ('mIoU, paper', '{:.2f}'),
    'top1': ('top-1, paper', '{:.2f}'),
    'paper_examples_per_s': ('examples/s, paper', '{:.1f}'),
    'paper_ms': ('ms, paper', '{:.1f}'),
    'relative_error': ('relative error', '{:.1e}'),
    'argmax_equal': ('equal labels', '{:.6f}'),
}


def benchmark_table(rows: Sequence[Row], columns: Mapping[str, tuple[str, str]] = COLUMNS) -> str:
    """The rows of a benchmark as a Markdown table, with the columns for which at least one row has a figure.

    Args:
        rows: of the record.
        columns: figures that a row may hold, in the order of the table: name in the record -> heading and format.
    """
    names = [name for name in columns if any(name in row for row in rows)]
    header = [columns[name][0] for name in names]
    return markdown_table(
        header, [[columns[name][1].format(row[name]) if name in row else '' for name in names] for row in rows]
    )


def benchmark_page(record: Mapping[str, Any], heading: str) -> str:
    """A record as a Markdown page: a heading, the table, a line of settings and a line about the environment.

    Args:
        record: as a benchmark writes it, with `rows`, `settings` and `environment`.
        heading: the first line, with its '#'.
    """
    return '\n\n'.join([heading, benchmark_table(record['rows']), settings_and_environment(record)])


def settings_and_environment(record: Mapping[str, Any]) -> str:
    """The last lines of the page of a record: its settings, and where it was measured."""
    return '\n\n'.join(
        ', '.join(f'{name} {_words(value)}' for name, value in part.items() if value is not None and name != 'system')
        for part in (record['settings'], record['environment'])
    )


def _words(value: object) -> str:
    """A setting in words: the members of a list with blanks between them."""
    return ' '.join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
