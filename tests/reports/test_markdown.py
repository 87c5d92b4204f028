from repvgg_seg.reports.markdown import markdown_table


def test_cells_stay_as_they_are():
    """'2.00' is not shortened to 2, an empty cell stays empty, and a number is written by `str`."""
    assert markdown_table(('model', 'ms'), [('a', '2.00'), ('resnet', ''), ('b', 3)]).splitlines() == [
        '| model   | ms   |',
        '|---------|------|',
        '| a       | 2.00 |',
        '| resnet  |      |',
        '| b       | 3    |',
    ]
