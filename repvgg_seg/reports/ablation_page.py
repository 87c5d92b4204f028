"""The table of an ablation as a Markdown page, and its picture."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from ..files import replacing
from .benchmark_table import Row, benchmark_table, settings_and_environment

# Every figure that a row may hold: its name in the record, its heading and its format.
COLUMNS = {
    'name': ('block', '{}'),
    'seeds': ('seeds', '{}'),
    'mean': ('{metric}, mean', '{:.2f}'),
    'spread': ('standard deviation', '{:.2f}'),
    'top1': ('top-1, paper', '{:.2f}'),
    'training_params_m': ('params (M), training form', '{:.3f}'),
    'fused_params_m': ('params (M), fused', '{:.3f}'),
    'iteration_examples_per_s': ('trained examples/s', '{:.1f}'),
    'training_examples_per_s': ('examples/s, training form', '{:.1f}'),
    'fused_examples_per_s': ('examples/s, fused', '{:.1f}'),
    'fused_over_training': ('fused / training form', '{:.2f}'),
}


def ablation_page(record: Mapping[str, Any], heading: str | None = None) -> str:
    """The record of an ablation as a Markdown page.

    Args:
        record: as `tools/ablation.py` writes it, with `title`, `metric`, `rows`, `settings` and `environment`.
        heading: above the table; the title by default.
    """
    rows = record['rows']
    columns = {name: (title.format(metric=record['metric']), form) for name, (title, form) in COLUMNS.items()}
    single = [
        f'{row["name"]}: ' + ', '.join(f'{score:.2f} (seed {seed})' for seed, score in row['scores'].items())
        for row in rows
    ]
    return '\n\n'.join(
        [heading or f'# {record["title"]}', benchmark_table(rows, columns), *single, settings_and_environment(record)]
    )


def plot_ablation(path: str | PathLike[str], rows: Sequence[Row], metric: str) -> None:
    """Plot the score of every run and their means, beside the speed of both forms where it was measured.

    Args:
        path: the image to write; its suffix names the format.
        rows: of the record.
        metric: name of the score.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    names = [row['name'] for row in rows]
    timed = any('training_examples_per_s' in row for row in rows)
    figure, axes = pyplot.subplots(
        1, 1 + timed, figsize=(6 + 4 * timed, 1.5 + 0.4 * len(rows)), squeeze=False, sharey=True
    )
    scores = axes[0][0]
    for place, row in enumerate(rows):
        values = list(row['scores'].values())
        scores.plot(values, [place] * len(values), 'o', color='tab:blue', alpha=0.6)
        scores.plot(row['mean'], place, '|', color='black', markersize=16)
    scores.set(xlabel=f'{metric} of each seed, and their mean', yticks=range(len(rows)), yticklabels=names)
    scores.invert_yaxis()
    scores.grid(alpha=0.3)
    if timed:
        speed = axes[0][1]
        for offset, (form, label) in enumerate((('training', 'training form'), ('fused', 'fused'))):
            heights = [row.get(f'{form}_examples_per_s', 0) for row in rows]
            speed.barh([place + 0.4 * offset - 0.2 for place in range(len(rows))], heights, 0.4, label=label)
        speed.set(xlabel='inference, examples/s')
        speed.legend(loc='lower center', bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    figure.tight_layout()
    with replacing(path) as temporary:
        figure.savefig(temporary)
    pyplot.close(figure)
