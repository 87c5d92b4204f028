"""A plot of accuracy against speed."""

from collections import defaultdict
from collections.abc import Sequence
from os import PathLike

from ..files import replacing
from .benchmark_table import Row


def plot_accuracy_against_speed(path: str | PathLike[str], rows: Sequence[Row], accuracy: str, label: str) -> None:
    """Plot one line for each family (RepVGG, ResNet) and form, in the manner of Figure 1 of the paper.

    Args:
        path: the image to write; its suffix names the format.
        rows: rows of a benchmark record; those without the accuracy are left out.
        accuracy: the name of the accuracy in the rows, 'miou' or 'top1'.
        label: text at the vertical axis.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    lines: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if accuracy in row:
            family = 'ResNet' if 'resne' in row['name'].lower() else 'RepVGG'
            lines[f'{family}, {row["form"]}'].append(row)
    figure, axes = pyplot.subplots(figsize=(7, 5))
    for name, members in lines.items():
        members.sort(key=lambda row: row['examples_per_s'])
        speeds, heights = [row['examples_per_s'] for row in members], [row[accuracy] for row in members]
        axes.plot(speeds, heights, marker='s' if 'ResNet' in name else 'o', label=name)
        for row in members:
            axes.annotate(row['name'].removeprefix('pspnet_'), (row['examples_per_s'], row[accuracy]), fontsize=7)
    axes.set(xlabel='speed (examples/second)', ylabel=label)
    if lines:
        axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    with replacing(path) as temporary:
        figure.savefig(temporary)
    pyplot.close(figure)
