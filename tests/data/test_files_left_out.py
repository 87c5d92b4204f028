"""What is said of the files of a data set that are not used, and of those that are missing."""

import shutil

import pytest
from seg_data import build, write_data

from repvgg_seg.data.files_left_out import account_for_files
from repvgg_seg.errors import InputError


@pytest.fixture
def root(tmp_path):
    return write_data(tmp_path)


def account(root, with_labels=True, **options):
    found = account_for_files(build(root, **options), with_labels)
    return len(found.images), len(found.labels), found.doubtful, found.chosen


@pytest.mark.slow
def test_all_is_used(root):
    assert account(root) == (3, 3, [], [])
    assert account(root, with_labels=False) == (3, 0, [], [])


def test_other_endings_are_doubtful(root):
    write_data(root, ('d', 'e'), '.PNG')
    write_data(root, ('f',), '.jpeg')
    (root / 'images/train/notes.txt').write_text('no image')
    images, _, doubtful, chosen = account(root)
    assert (images, chosen) == (3, []) and len(doubtful) == 2
    assert (
        "2 *.PNG (img_suffix is '.png': to have them, set img_suffix=('.png', '.PNG') of CheckedSegDataset"
        in doubtful[0]
    )
    assert account(root, kind='CheckedSegDataset', img_suffix=('.png', '.PNG', '.jpeg')) == (6, 6, [], [])


@pytest.mark.slow
def test_what_the_config_leaves_out(root):
    (root / 'list.txt').write_text('a\nb\n')
    (root / 'images/train/.c.png').write_bytes(b'')
    assert account(root, ann_file='list.txt')[3] == ['1 hidden files', f'1 images not in {root}/list.txt']
    (root / 'images/train/.c.png').unlink()
    assert account(root, indices=1)[3] == ['2 images by indices, filter_cfg or the class itself']
    (root / 'images/train/c.png').unlink()
    assert account(root)[3] == ['1 labels without an image']


def test_labels_among_the_images(root):
    for path in (root / 'labels/train').iterdir():
        path.rename(root / 'images/train' / f'{path.stem}_label.png')
    for path in (root / 'images/train').glob('?.png'):
        path.rename(path.with_suffix('.jpg'))
    prefix = dict(img_path='images/train', seg_map_path='images/train')
    assert account(root, data_prefix=prefix, img_suffix='.jpg', seg_map_suffix='_label.png') == (3, 3, [], [])


def test_twice_in_a_list(root):
    (root / 'list.txt').write_text('a\nb\na\n')
    assert account(root, ann_file='list.txt')[2] == [
        f'1 images are listed more than once, such as {root}/images/train/a.png'
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    'text, said',
    [
        (b'a\nnone\n', 'names 1 of 2 images that do not exist: no such file: .*/none.png$'),
        (b'a\n\nb\n', 'the list has an empty line'),
        (b'\xef\xbb\xbfa\nb\n', 'begins with a byte-order mark'),
        (b'a.png\nb.png\n', 'names with their ending'),
    ],
)
def test_lists_that_mmseg_takes_as_they_are(root, text, said):
    (root / 'list.txt').write_bytes(text)
    with pytest.raises(InputError, match=said):
        account(root, ann_file='list.txt')


@pytest.mark.slow
def test_missing_labels(root):
    (root / 'labels/train/a.png').rename(root / 'labels/train/a.bmp')
    with pytest.raises(
        InputError, match=r'1 of 3 images have no label: no such file: .*a.png; there is a.bmp: set seg_map_suffix'
    ):
        account(root)
    assert account(root, with_labels=False)[0] == 3
    with pytest.raises(InputError, match=r"takes one img_suffix, got \('.png', '.PNG'\)"):
        account(root, img_suffix=('.png', '.PNG'))


def test_no_images(root):
    dataset = build(root, serialize_data=False, img_suffix='.jpg')
    with pytest.raises(InputError, match=r'no \*.jpg in .*images/train; it holds 3 \*.png: set img_suffix'):
        account_for_files(dataset, True)
    shutil.rmtree(root / 'images/train')
    (root / 'images/train').mkdir()
    with pytest.raises(InputError, match='it is empty'):
        account_for_files(dataset, True)
