"""The data sets inside of wrappers."""

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset

from repvgg_seg.data.wrapped_datasets import inner_configs, inner_datasets

A, B = dict(type='A', pipeline=[]), dict(type='B')


@pytest.mark.parametrize(
    'dataset, inner',
    [
        (A, [A]),
        (dict(type='RepeatDataset', times=2, dataset=A), [A]),
        (dict(type='ConcatDataset', datasets=[A, dict(type='MultiImageMixDataset', dataset=B, pipeline=[])]), [A, B]),
    ],
)
def test_configs(dataset, inner):
    assert list(inner_configs(dataset)) == inner
    assert next(inner_configs(dataset)) is A, 'to be edited in place'


def test_built():
    first, second = (BaseDataset(lazy_init=True) for _ in range(2))
    whole = ConcatDataset([first, second], lazy_init=True)
    whole.datasets[1] = RepeatDataset(second, times=3, lazy_init=True)
    assert list(inner_datasets(whole)) == [first, second]
    assert list(inner_datasets(first)) == [first]
