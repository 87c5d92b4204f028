"""A line plot as SVG inside of a page: its colours are those of the page, and it needs no script."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT = 400, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 42
SERIES = 6  # looks of lines: colour and dashes; further series begin anew


def line_plot(
    title: str, x_label: str, series: Mapping[str, Sequence[tuple[float, float]]], points: int, mark: bool = False
) -> Markup:
    """A plot of one line for each series, as an SVG element with a title and a description in words.

    Args:
        title: what is plotted.
        x_label: below the horizontal axis.
        series: points (x, y) by the name of each line, in ascending x. Values that are not finite interrupt the line.
        points: most points of a line; of more, the mean of neighbours is drawn.
        mark: draw a dot at each point.
    """
    finite = [(x, y) for line in series.values() for x, y in line if math.isfinite(y)]
    if not finite:
        return Markup('')
    x_ticks, y_ticks = _ticks(*_range(x for x, _ in finite)), _ticks(*_range(y for _, y in finite))

    def place(x: float, y: float) -> tuple[float, float]:
        right = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return (
            round(_LEFT + right * (_WIDTH - _LEFT - _RIGHT), 1),
            round(_HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM), 1),
        )

    parts = [_axes(x_label, x_ticks, y_ticks, place)]
    for number, line in enumerate(series.values()):
        thinned = _thinned(line, points)
        path = _path(thinned, place)
        parts.append(Markup('<path class="line s{}" d="{}"/>').format(number % SERIES, path))
        if mark or len(thinned) == 1:
            dots = [place(x, y) for x, y in thinned if math.isfinite(y)]
            parts += [
                Markup('<circle class="dot s{}" cx="{}" cy="{}" r="3"/>').format(number % SERIES, *dot) for dot in dots
            ]
    described = '; '.join(_in_words(name, line, x_label) for name, line in series.items())
    return Markup('<svg class="plot" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>{}</svg>').format(
        _WIDTH, _HEIGHT, title, described, Markup('').join(parts)
    )


def number_in_words(value: float) -> str:
    """A number as short as it can be read."""
    if not math.isfinite(value):
        return str(value)
    return f'{value:.0f}' if value == int(value) and abs(value) < 1e6 else f'{value:.4g}'


def _in_words(name: str, line: Sequence[tuple[float, float]], x_label: str) -> str:
    finite = [(x, y) for x, y in line if math.isfinite(y)]
    if not finite:
        return f'{name}: no finite value'
    low, high = min(finite, key=lambda point: point[1]), max(finite, key=lambda point: point[1])
    ends = f'from {number_in_words(finite[0][1])} at {x_label} {number_in_words(finite[0][0])}'
    ends += f' to {number_in_words(finite[-1][1])} at {number_in_words(finite[-1][0])}'
    lowest, highest = (f'{number_in_words(y)} at {number_in_words(x)}' for x, y in (low, high))
    return f'{name}: {ends}; lowest {lowest}, highest {highest}'


def _axes(x_label: str, x_ticks: list[float], y_ticks: list[float], place) -> Markup:  # type: ignore[no-untyped-def]
    parts = []
    for y in y_ticks:
        left, up = place(x_ticks[0], y)
        line = Markup('<path class="grid" d="M{} {}H{}"/><text x="{}" y="{}" text-anchor="end">{}</text>')
        parts.append(line.format(left, up, _WIDTH - _RIGHT, left - 6, up + 4, number_in_words(y)))
    for x in x_ticks:
        right, _ = place(x, y_ticks[0])
        anchor = 'end' if x == x_ticks[-1] and len(x_ticks) > 1 else 'middle'
        text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
        parts.append(text.format(right, _HEIGHT - _BOTTOM + 17, anchor, number_in_words(x)))
    label = Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>')
    parts.append(label.format((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, x_label))
    return Markup('').join(parts)


def _path(points: Sequence[tuple[float, float]], place) -> str:  # type: ignore[no-untyped-def]
    words, pen = [], 'M'
    for x, y in points:
        if not math.isfinite(y):
            pen = 'M'
            continue
        right, up = place(x, y)
        words.append(f'{pen}{right:g} {up:g}')
        pen = 'L'
    return ''.join(words)


def _thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most so many points: the means of neighbours."""
    size = -(-len(points) // most) if points else 1
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _range(values) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    values = list(values)
    low, high = min(values), max(values)
    if low == high:
        spread = abs(low) / 2 or 1.0
        return low - spread, high + spread
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers that embrace a range."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]
