import pytest

from repvgg_seg.data import EvenlySpreadSampler


@pytest.mark.parametrize('size, number, indices', [(10, 5, [0, 2, 4, 6, 8]), (3, 9, [0, 1, 2]), (101, 2, [0, 50])])
def test_indices(size, number, indices):
    sampler = EvenlySpreadSampler(range(size), number, seed=3)
    assert list(sampler) == indices and len(sampler) == sampler.number == len(indices)
