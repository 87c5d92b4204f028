"""The numbers that predictions are written with."""

import numpy as np
import pytest
from mmseg.datasets import ADE20KDataset, BaseSegDataset, CityscapesDataset

from repvgg_seg.data import CamVidDataset, CheckedCityscapesDataset
from repvgg_seg.errors import InputError
from repvgg_seg.evaluation.label_ids import label_numbers

PREDICTED = np.array([[0, 1], [2, 2]])


class OwnCityscapes(CheckedCityscapesDataset):
    """A data set of a user in the layout of Cityscapes, with the classes of Cityscapes."""


class OwnClasses(CityscapesDataset):
    """A data set of a user in the layout of Cityscapes, with classes of its own."""

    METAINFO = dict(classes=('grass', 'road', 'ditch'), palette=[[0, 0, 0]] * 3)


def made(kind, classes=None, **options):
    return kind(lazy_init=True, **(dict(metainfo=dict(classes=classes)) if classes else {}), **options)


# The ids of road, sidewalk and building on the page of the Cityscapes scripts are 7, 8 and 11; car is 26, sky is 23.
@pytest.mark.parametrize(
    'dataset, numbers',
    [
        (made(CityscapesDataset), [7, 8, 11]),
        (made(CheckedCityscapesDataset), [7, 8, 11]),
        (made(OwnCityscapes), [7, 8, 11]),
        (made(CityscapesDataset, ('car', 'road', 'sky')), [26, 7, 23]),
        (made(OwnClasses), [0, 1, 2]),
        (made(CamVidDataset), [0, 1, 2]),
        (made(BaseSegDataset, ('road', 'sidewalk', 'building')), [0, 1, 2]),
        (made(ADE20KDataset), [1, 2, 3]),  # reduce_zero_label
        (made(BaseSegDataset, ('a', 'b', 'c'), reduce_zero_label=True), [1, 2, 3]),
        (None, [0, 1, 2]),
    ],
)
@pytest.mark.parametrize('dtype', [np.int64, np.float32, np.uint8])
def test_each_data_set_decides(dataset, numbers, dtype):
    written = label_numbers(PREDICTED.astype(dtype), dataset)
    assert written.dtype == np.uint8
    assert written.tolist() == [numbers[:2], [numbers[2]] * 2]


def test_class_numbers_of_cityscapes_where_they_are_asked_for():
    assert label_numbers(PREDICTED, made(CityscapesDataset), official=False).tolist() == PREDICTED.tolist()


def test_more_than_256_classes_take_16_bits():
    assert label_numbers(np.array([[0, 300]]), None).tolist() == [[0, 300]]
    assert label_numbers(np.array([[0, 300]]), None).dtype == np.uint16
    assert label_numbers(np.array([[255]]), made(ADE20KDataset)).tolist() == [[256]]


def test_more_classes_than_the_data_set_has():
    with pytest.raises(InputError, match='class 3 is predicted, and the data set has 3'):
        label_numbers(PREDICTED + 1, made(CityscapesDataset, ('car', 'road', 'sky')))
