"""The names of predictions: as many as images, in their subfolders, and never outside."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from repvgg_seg.evaluation.prediction_names import PredictionNames


class Listed(list):
    """A data set that lists images, with an image folder."""

    def __init__(self, folder, *paths):
        super().__init__(paths)
        self.data_prefix = dict(img_path=folder)

    def get_data_info(self, i):
        return dict(img_path=self[i])


def concat(*datasets):
    return SimpleNamespace(datasets=datasets)


def repeat(dataset):
    return SimpleNamespace(dataset=dataset)


@pytest.mark.parametrize(
    'dataset, names',
    [
        (Listed('/d/img', '/d/img/a/000.png', '/d/img/b/000.png'), ['a/000', 'b/000']),
        (Listed('/d/img', '/d/img/000.png'), ['000']),
        (Listed('/d/img/', '/d/img/./a.b c.é/x.y.jpg'), ['a.b c.é/x.y']),
        (Listed('/d/img', '/d/img/a.png', '/d/img/a.jpg', '/d/img/b.jpg'), ['a.png', 'a.jpg', 'b']),
        # the name that a suffix makes is taken
        (Listed('/d', '/d/a.png', '/d/a.jpg', '/d/a.jpg.tif'), ['a.png', 'a.jpg', 'a.jpg.tif']),
        # an image list with paths outside of the root
        (Listed('/d/img', '/d/img/a/0.png', '/e/img/a/0.png'), ['d/img/a/0', 'e/img/a/0']),
        (Listed('/d/img', '/e/f/0.png', '/e/f/g/0.png'), ['0', 'g/0']),
        (Listed('/d/img', '/d/img/../../etc/0.png'), ['0']),
        (Listed('', '/d/img/a/0.png', '/d/img/b/0.png'), ['a/0', 'b/0']),
        (Listed(None, '/d/img/a/0.png'), ['0']),
        (Listed('/d/i', '/d/img/0.png'), ['0']),  # no folder below /d/i
        (concat(Listed('/d', '/d/a/0.png'), Listed('/e', '/e/a/0.png')), ['d/a/0', 'e/a/0']),
        (concat(Listed('/d/x/val', '/d/x/val/0.png'), Listed('/d/x/test', '/d/x/test/0.png')), ['val/0', 'test/0']),
        (concat(Listed('/d', '/d/0.png'), repeat(concat(Listed('/d/e', '/d/e/0.jpg')))), ['0', 'e/0']),
        (repeat(Listed('s3://bucket/img', 's3://bucket/img/a/0.png')), ['a/0']),
        (Listed('img', 'img/a/0.png', 'img/b/0.png'), ['a/0', 'b/0']),
    ],
)
def test_names(dataset, names):
    named = PredictionNames(dataset)
    assert [image.name for image in named.images.values()] == [Path(name) for name in names]


def test_an_image_that_nothing_lists_is_called_by_its_whole_path():
    assert PredictionNames(object()).of('/d/a.png').name == Path('d/a.png')
    for name in ('/../../a.png', '../a.png'):
        target = os.path.abspath(f'/out/{PredictionNames(object()).of(name).name}')
        assert target.startswith('/out/')


def test_an_image_belongs_to_the_data_set_that_lists_it():
    first, second, third = Listed('/d', '/d/0.png'), Listed('/e', '/e/0.png'), Listed('/d', '/d/./0.png')
    named = PredictionNames(concat(first, repeat(second), third))
    assert named.of('/d/0.png').dataset is first and named.of('/e/0.png').dataset is second
    assert named.of('/d/./0.png').name == named.of('/d/0.png').name, 'one file'
    assert named.listed_twice == [('/d/./0.png', first, third)]
