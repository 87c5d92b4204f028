"""Which images our data sets find: endings, and lists of names."""

import pytest
from seg_data import build, write_data

from repvgg_seg.errors import InputError


def names(dataset):
    return [dataset.get_data_info(i)['img_path'].rsplit('/', 1)[1] for i in range(len(dataset))]


@pytest.fixture
def root(tmp_path):
    return write_data(write_data(tmp_path), ('d', 'e'), '.PNG')


def test_several_endings(root):
    dataset = build(root, 'CheckedSegDataset', img_suffix=('.png', '.PNG'))
    assert names(dataset) == ['a.png', 'b.png', 'c.png', 'd.PNG', 'e.PNG']
    assert [dataset[i]['gt_seg_map'].shape for i in range(5)] == [(12, 16)] * 5
    assert names(build(root, 'CheckedSegDataset')) == ['a.png', 'b.png', 'c.png']


@pytest.mark.slow
@pytest.mark.parametrize(
    'text', [b'a\nd\n', b'a\r\nd\r\n', b'\xef\xbb\xbfa\nd', b'\na\n\n  \nd\n\n', b'a.png\nd.PNG\n', b' a \nd']
)
def test_lists_as_editors_write_them(root, text):
    (root / 'list.txt').write_bytes(text)
    dataset = build(root, 'CheckedSegDataset', img_suffix=('.png', '.PNG'), ann_file='list.txt')
    assert names(dataset) == ['a.png', 'd.PNG'] and dataset[1]['gt_seg_map'].shape == (12, 16)


@pytest.mark.parametrize(
    'text, said',
    [
        (None, r'no such file: .*list.txt \(ann_file\)'),
        (b'', 'list.txt names no images'),
        (b'\n\n', 'list.txt names no images'),
        (b'a\nnone\n', r'lists 1 images that do not exist: no such file: .*/images/train/none.png'),
        (b'a.png labels/train/a.png\n', r'a.png labels/train/a.png; a line holds one name below data_prefix.img_path'),
        (b'\xff\xfea\x00', 'in UTF-8'),
    ],
)
def test_lists_that_cannot_be_used(root, text, said):
    if text is not None:
        (root / 'list.txt').write_bytes(text)
    with pytest.raises(InputError, match=said):
        build(root, 'CheckedSegDataset', ann_file='list.txt')


def test_what_every_item_is_told(root):
    item = build(root, 'CheckedSegDataset', ignore_index=7)[0]
    assert (item['num_classes'], item['ignored_labels']) == (2, (7,))
    with pytest.raises(InputError, match='CheckedSegDataset has no names of classes'):
        build(root, 'CheckedSegDataset', classes=None)
