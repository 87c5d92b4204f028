import math

import pytest
import torch

from repvgg_seg.measure.difference import relative_error

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
