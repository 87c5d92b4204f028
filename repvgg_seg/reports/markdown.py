"""One layout for every Markdown table of the project."""

from collections.abc import Iterable, Sequence

from tabulate import tabulate


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table whose cells show exactly the text they are given.

    Args:
        header: the headings of the columns.
        rows: one cell per heading; anything but text is converted with `str`.
    """
    return tabulate([list(map(str, row)) for row in rows], header, tablefmt='github', disable_numparse=True)
