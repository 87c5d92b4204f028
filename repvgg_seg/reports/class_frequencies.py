"""A picture of how many pixels each class has."""

from collections.abc import Mapping, Sequence
from os import PathLike

from ..files import replacing


def plot_class_frequencies(
    path: str | PathLike[str],
    names: Sequence[str],
    palette: Sequence[Sequence[int]],
    shares: Mapping[str, Sequence[float]],
) -> None:
    """Draw a bar for each class and split, in the colour of the class, on a logarithmic axis.

    Args:
        path: the image to write; its suffix names the format.
        names: of the classes.
        palette: the (R, G, B) of each.
        shares: by split, the percent of labelled pixels that each class has.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    hatches = ('', '//', '..')
    figure, axes = pyplot.subplots(figsize=(8, 1.5 + 0.3 * len(names) * max(len(shares), 1)))
    height = 0.8 / max(len(shares), 1)
    for i, (split, values) in enumerate(shares.items()):
        places = [row + i * height for row in range(len(names))]
        colours = [tuple(part / 255 for part in colour) for colour in palette]
        axes.barh(places, values, height, color=colours, edgecolor='grey', hatch=hatches[i % len(hatches)])
        for place, value in zip(places, values, strict=True):
            axes.text(max(value, 1e-3), place, f' {split} {value:.3g} %', va='center', fontsize=7)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(names))], [name.replace('$', r'\$') for name in names])
    axes.set(xlabel='share of the labelled pixels (%)', xscale='log', xlim=(1e-3, 400))
    axes.invert_yaxis()
    axes.grid(axis='x', alpha=0.3)
    figure.tight_layout()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)
    pyplot.close(figure)
