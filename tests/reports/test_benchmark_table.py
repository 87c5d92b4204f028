import json
import re

import pytest
from helpers import REPO

from repvgg_seg.reports.benchmark_table import COLUMNS, benchmark_page, benchmark_table

RENAMED = {'times baseline': 'speed / baseline', 'times fused': 'speed / fused'}  # headings of pages written before


def words(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_columns_are_those_that_a_row_has():
    rows = [dict(name='a', form='fused', examples_per_s=2.0, miou=70.0), dict(name='resnet', form='fused', ms=3.0)]
    header, _, *lines = benchmark_table(rows).splitlines()
    assert words(header) == ['model', 'form', 'examples/s', 'ms', 'mIoU, paper']
    assert list(map(words, lines)) == [['a', 'fused', '2.00', '', '70.00'], ['resnet', 'fused', '', '3.0', '']]


def test_page_says_how_it_was_measured():
    """What is None, and the long facts about the system, stand in the record alone."""
    record = dict(
        settings=dict(forms=['training', 'fused'], batch=2, threads=None),
        environment=dict(device='CPU', cuda=None, commit='abc', system=dict(GCC='gcc 1')),
        rows=[dict(name='a', ms=1.0)],
    )
    lines = benchmark_page(record, '# Title').split('\n\n')
    assert lines[0] == '# Title'
    assert lines[2:] == ['forms training fused, batch 2', 'device CPU, commit abc']


@pytest.mark.parametrize('path', sorted(REPO.glob('results/benchmark_*.json')), ids=lambda path: path.stem)
def test_records_written_before_still_give_their_pages(path):
    """Their pages say the same, whatever the width of the columns, two headings and the writing of lists."""
    record = json.loads(path.read_text())
    before = path.with_suffix('.md').read_text().split('\n\n')
    heading, table, *facts = benchmark_page(record, before[0]).split('\n\n')
    facts_before = [re.sub(r'\[.*?\]', lambda part: re.sub(r"[\[\]',]", '', part[0]), text) for text in before[2:]]
    assert [heading, *facts] == [text.rstrip() for text in (before[0], *facts_before)]
    before_lines = before[1].splitlines()
    assert [words(line) for line in table.splitlines() if '--' not in line] == [
        [RENAMED.get(cell, cell) for cell in words(line)] for line in before_lines if '--' not in line
    ]
    # The versions of an engine are not in the table.
    assert {name for row in record['rows'] for name in row} <= {*COLUMNS, 'engine'}
