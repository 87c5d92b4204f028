import pytest

from repvgg_seg.errors import listed


@pytest.mark.parametrize(
    'names, expected', [('ab', 'a, b'), ('abcd', 'a, b, c, d'), ('abcdef', 'a, b, c, d, ... (2 more)')]
)
def test_a_message_lists_four_names_and_counts_the_others(names, expected):
    assert listed(iter(names)) == expected
