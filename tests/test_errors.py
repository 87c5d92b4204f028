import pytest

from repvgg_seg.errors import closest_names, did_you_mean, listed, similar_names


@pytest.mark.parametrize(
    'names, expected', [('ab', 'a, b'), ('abcd', 'a, b, c, d'), ('abcdef', 'a, b, c, d, ... (2 more)')]
)
def test_a_message_lists_four_names_and_counts_the_others(names, expected):
    assert listed(iter(names)) == expected


def test_names_that_differ_in_case_are_close():
    assert similar_names('relu', ['ReLU', 'PReLU', 'Sigmoid']) == ['ReLU', 'PReLU']
    assert similar_names('relu', ['ReLU', 'PReLU'], cutoff=0.95) == ['ReLU']
    assert closest_names('relu', ['ReLU', 'Sigmoid']) == '; the closest are ReLU'
    assert closest_names('relu', ['Sigmoid']) == '' == did_you_mean([])
    assert did_you_mean(['a', 'b']) == 'did you mean a or b? '
