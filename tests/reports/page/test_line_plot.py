import math
import re

import pytest

from repvgg_seg.reports.page.line_plot import line_plot, number_in_words


def test_a_line_by_hand():
    svg = line_plot('Loss', 'iteration', {'a': [(0, 0.0), (10, 4.0)]}, 100)
    # The axes go from 0 to 10 and from 0 to 4, over 336 x 206 units from the corner (52, 218).
    assert 'd="M52 218L388 12"' in svg
    assert 'role="img"' in svg and '<title>Loss</title>' in svg
    assert 'from 0 at iteration 0 to 4 at 10; lowest 0 at 0, highest 4 at 10' in svg


@pytest.mark.parametrize(
    'points',
    [[(3, 2.0)], [(0, 1e-9), (1, 1e-9)], [(0, 0.0), (5, 0.0)], [(0, -1e6), (1e6, 1e6)], [(1, math.inf), (2, 1.0)]],
)
def test_ranges_of_any_kind(points):
    svg = line_plot('x', 'y', {'a': points}, 10)
    numbers = [float(x) for x in re.findall(r'[ML](-?[\d.]+) ', svg)]
    assert numbers and all(52 <= x <= 400 for x in numbers) and 'nan' not in svg


def test_a_value_that_is_not_finite_interrupts_the_line():
    svg = line_plot('x', 'y', {'a': [(0, 1.0), (1, 2.0), (2, math.nan), (3, 1.0), (4, 2.0)]}, 100)
    [path] = re.findall(r'class="line s0" d="([^"]+)"', svg)
    assert path.count('M') == 2 and path.count('L') == 2
    assert line_plot('x', 'y', {'a': [(0, math.nan)], 'b': []}, 100) == ''


def test_names_are_escaped_and_lines_are_thinned():
    svg = line_plot('<b>', 'x', {'<script>': [(i, float(i % 2)) for i in range(1000)]}, 50)
    assert '<script>' not in svg and '<b>' not in svg
    assert len(re.findall(r'[ML]\d', svg.split('class="line s0"')[1].split('/>')[0])) == 50


@pytest.mark.parametrize('value, words', [(3.0, '3'), (0.04999, '0.04999'), (1.23456, '1.235'), (math.nan, 'nan')])
def test_numbers(value, words):
    assert number_in_words(value) == words
