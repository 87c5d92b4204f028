"""The data sets inside of wrappers, those of mmengine's loaders included."""

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.runner.runner import _SlicedDataset
from seg_data import build, write_data
from torch.utils.data import Subset

from repvgg_seg.data.wrapped_datasets import inner_configs, inner_datasets, with_wrappers

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


def test_built_ones(tmp_path):
    one, two = (build(write_data(tmp_path, folder=name), folder=name) for name in ('x', 'y'))
    both = ConcatDataset([one, two])
    assert list(inner_datasets(both)) == [one, two] and list(with_wrappers(both)) == [both, one, two]
    assert list(inner_datasets(Subset(_SlicedDataset(both, 4), [0]))) == [one, two]
    assert list(inner_datasets(ConcatDataset([one, one]))) == [one]
    assert list(inner_datasets(RepeatDataset(one, 2))) == [one]
    assert list(with_wrappers(two)) == [two] and list(inner_datasets([1, 2])) == [[1, 2]]
