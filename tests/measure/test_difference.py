import math

import pytest
import torch

from repvgg_seg.measure.difference import largest_relative_error, relative_error

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    'found, expected, error',
    [
        ([1.0, -4.0], [1.0, -4.0], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([1.0, -3.0], [1.0, -4.0], 0.25),  # 1 over 4
        ([3.0, 0.0], [-2.0, 0.0], 2.5),  # 5 over 2
        ([1.0], [0.0], INF),
    ],
)
def test_by_hand(found, expected, error):
    assert relative_error(torch.tensor(found), torch.tensor(expected)) == error


@pytest.mark.parametrize('found, expected', [([NAN, 1.0], [1.0, 1.0]), ([1.0, 1.0], [NAN, 1.0]), ([INF], [INF])])
def test_nan_exceeds_every_limit(found, expected):
    error = relative_error(torch.tensor(found), torch.tensor(expected))
    assert math.isnan(error) and not error <= 1.0


@pytest.mark.parametrize(
    'found, largest',
    [
        ([[1.0], [3.0], [2.0]], 0.5),  # against 2: 1/2, 1/2, 0
        ([[2.0], [7.0], [1.0]], 2.5),
        ([[1.0], [NAN], [2.0]], NAN),  # not the first, which max() would lose
        ([[2.0], [2.0], [NAN]], NAN),
    ],
)
def test_the_largest_of_several(found, largest):
    expected = [torch.tensor([2.0])] * 3
    assert largest_relative_error(map(torch.tensor, found), expected) == pytest.approx(largest, nan_ok=True)
