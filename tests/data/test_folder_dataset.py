"""Images and masks in a user's folders: layouts, splits, names, and what is refused."""

import os

import numpy as np
import pytest
from mmseg.registry import DATASETS
from PIL import Image

from repvgg_seg.data.class_file import ClassTable
from repvgg_seg.data.mask_form import MaskForm, classes_of_mask, form_of
from repvgg_seg.data.split_folder import take_share
from repvgg_seg.errors import InputError

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def write(root, *names, value=1, size=(6, 8)):
    """Write files below a folder; those in a folder of masks hold 0 and a value, the others noise."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        is_mask = any(word in name for word in ('mask', 'label', 'gt', 'SegmentationClass'))
        array = np.zeros(size, np.uint8) if is_mask else np.full((*size, 3), 90, np.uint8)
        array[0, 0] = value
        Image.fromarray(array).save(path, format='JPEG' if path.suffix.lower() in ('.jpg', '.jpeg') else 'PNG')


def build(root, **options):
    return DATASETS.build(
        dict(dict(type='FolderDataset', data_root=str(root), classes=['a', 'b'], pipeline=LOAD), **options)
    )


def pairs(root, **options):
    """Image and mask of each item, below the root."""
    dataset = build(root, **options)
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return {os.path.relpath(i['img_path'], root): os.path.relpath(i['seg_map_path'], root) for i in items}


FLAT = dict(img_path='images', seg_map_path='masks')
NAMES = {
    # what follows images/ and masks/
    'same names': ('a.jpg', 'a.png'),
    'upper case': ('A.JPG', 'A.PNG'),
    'a word behind': ('a.jpg', 'a_mask.png'),
    'several words': ('aachen_000_leftImg8bit.png', 'aachen_000_gtFine_labelTrainIds.png'),
    'a word before': ('image_001.jpg', 'mask_001.png'),
    'a word before a number': ('img001.jpeg', 'mask001.tif'),
    'both words': ('001_sat.jpg', '001_mask.png'),
    'the ending of the image': ('a.jpg', 'a.jpg.png'),
    'blanks and letters': ('Straße 1 é.jpg', 'Straße 1 é_labelIds.png'),
    'dots': ('2024.01.02 x.jpg', '2024.01.02 x.png'),
    'a dash': ('frame-12.webp', 'frame-12-seg.bmp'),
    'in folders': ('north/a.jpg', 'north/a.png'),
    'masks in one folder': ('north/a1.jpg', 'a1_mask.png'),
    'an image called mask': ('mask_of_zorro.jpg', 'mask_of_zorro.png'),
}


@pytest.mark.parametrize('case', NAMES)
def test_names_of_masks(tmp_path, case):
    image, mask = NAMES[case]
    write(tmp_path, f'images/{image}', f'masks/{mask}', 'images/zz9.png', 'masks/zz9.png')
    assert pairs(tmp_path)[f'images/{image}'] == f'masks/{mask}'


def test_accents_in_two_forms_of_unicode(tmp_path):
    write(tmp_path, 'images/é.png', 'masks/e\u0301.png')
    assert len(pairs(tmp_path)) == 1


LAYOUTS = {
    # files, data_prefix, what train, val and test hold
    'folders in folders': (
        ['images/train/a.png', 'images/val/b.png', 'masks/train/a.png', 'masks/val/b.png'],
        FLAT,
        (['images/train/a.png'], ['images/val/b.png'], ['images/val/b.png']),
    ),
    'folders around': (
        ['train/images/a.png', 'valid/images/b.png', 'train/labels/a.png', 'valid/labels/b.png', 'test/images/c.png']
        + ['test/labels/c.png'],
        dict(img_path='images', seg_map_path='labels'),
        (['train/images/a.png'], ['valid/images/b.png'], ['test/images/c.png']),
    ),
    'one folder for both': (
        ['train/a.jpg', 'train/a_mask.png', 'valid/b.jpg', 'valid/b_mask.png'],
        dict(img_path='', seg_map_path=''),
        (['train/a.jpg'], ['valid/b.jpg'], ['valid/b.jpg']),
    ),
    'PASCAL VOC': (
        [
            'JPEGImages/a.jpg',
            'JPEGImages/b.jpg',
            'JPEGImages/c.jpg',
            'SegmentationClass/a.png',
            'SegmentationClass/b.png',
        ],
        dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        (['JPEGImages/a.jpg'], ['JPEGImages/b.jpg'], ['JPEGImages/b.jpg']),
    ),
}


@pytest.mark.parametrize('case', LAYOUTS)
def test_splits_that_are_there(tmp_path, case):
    files, prefix, expected = LAYOUTS[case]
    write(tmp_path, *files)
    if case == 'PASCAL VOC':
        lists = tmp_path / 'ImageSets' / 'Segmentation'
        lists.mkdir(parents=True)
        (lists / 'train.txt').write_text('a\n')
        (lists / 'val.txt').write_text('b\n')
    for split, images in zip(('train', 'val', 'test'), expected, strict=True):
        assert list(pairs(tmp_path, split=split, data_prefix=prefix)) == images, split


@pytest.mark.parametrize(
    'line', ['a', 'a.jpg', 'images/a.jpg', './images/a.jpg', 'images/a.jpg masks/a.png', 'a.jpg,a.png', 'a.JPG']
)
def test_lines_of_lists(tmp_path, line):
    write(tmp_path, 'images/a.jpg', 'masks/a.png', 'images/b c.jpg', 'masks/b c.png')
    (tmp_path / 'train.txt').write_bytes(f'\ufeff{line}\r\nb c\r\n\r\n'.encode())
    (tmp_path / 'val.txt').write_text('b c.jpg')
    assert list(pairs(tmp_path, split='train')) == ['images/a.jpg', 'images/b c.jpg']
    assert list(pairs(tmp_path, ann_file='val.txt')) == ['images/b c.jpg']


def test_shares_stay_when_images_are_added():
    names = [f'{i}.png' for i in range(1000)]
    shares = dict(train=0.7, val=0.2, test=0.1)
    parts = {part: take_share(names, shares, part) for part in shares}
    assert sorted(sum(parts.values(), [])) == sorted(names)
    assert [abs(len(parts[part]) - 1000 * share) < 60 for part, share in shares.items()] == [True] * 3
    more = {part: take_share([*names, *(f'x{i}.png' for i in range(500))], shares, part) for part in shares}
    assert all(set(parts[part]) <= set(more[part]) for part in shares)
    assert take_share(['a.jpg', 'b.jpg'], dict(train=0.99, val=0.01), 'val') != []
    with pytest.raises(InputError, match='1 images cannot be shared among train, val'):
        take_share(['a.jpg'], dict(train=0.8, val=0.2), 'val')


def test_shares_of_a_folder(tmp_path):
    write(tmp_path, *(f'{part}/{i}.png' for part in ('images', 'masks') for i in range(20)))
    train, val, test = (set(pairs(tmp_path, split=split)) for split in ('train', 'val', 'test'))
    assert len(train | val) == 20 and not train & val and test == val


REFUSED = {
    # files, options, what is said
    'no root': ([], dict(data_root='/none'), 'no folder /none (data_root)'),
    'no folder of masks': (['images/a.png'], {}, 'no folder .*masks (data_prefix.seg_map_path): .* holds images'),
    'no images': (['images/x/readme.gif', 'masks/a.png'], {}, 'no \\*.jpg'),
    'no mask': (
        ['images/a.png', 'images/b.png', 'masks/a.png'],
        {},
        '1 of 2 images have no label, such as .*masks/b.png',
    ),
    'two masks': (
        ['images/a.png', 'masks/a_label.png', 'masks/a_color.png'],
        {},
        "a.png has several masks in .*a_color.png, a_label.png: .*seg_map_suffix='_color.png'",
    ),
    'one folder, one kind of names': (
        ['images/a.png', 'images/b.png'],
        dict(data_prefix=dict(img_path='images', seg_map_path='images')),
        'which cannot be told apart: set seg_map_suffix',
    ),
    'a split that is not there': (['images/a.png', 'masks/a.png'], dict(split='fold7'), "split='fold7': no folder"),
    'val alone': (['images/val/a.png', 'masks/val/a.png'], dict(split='val'), 'has a val split and none called train'),
    'shares': (['images/a.png', 'masks/a.png'], dict(split='val', shares=dict(train=0.5, val=0.4)), 'add up to 0.9'),
    'percent': (
        ['images/a.png', 'masks/a.png'],
        dict(split='val', shares=dict(train=80, val=20)),
        'give those of train and val',
    ),
    'a list of none': (['images/a.png', 'masks/a.png'], dict(ann_file='list.txt'), 'no such file: .*list.txt'),
    'others': (
        ['images/a.png', 'masks/a.png'],
        dict(others='drop'),
        "others='drop': give one of refuse, ignored, nearest",
    ),
    'ignored': (['images/a.png', 'masks/a.png'], dict(ignored='void'), "ignored='void': give numbers and colours"),
    'colours': (['images/a.png', 'masks/a.png'], dict(masks='colours'), "masks='colours' needs their colours"),
    'skip all': (
        ['images/a.png', 'masks/a.png', 'bad.txt'],
        dict(skip_list='bad.txt'),
        'skip_list\\) names all 1 images',
    ),
}


@pytest.mark.parametrize('case', REFUSED)
def test_refused(tmp_path, case):
    files, options, said = REFUSED[case]
    write(tmp_path, *(name for name in files if name != 'bad.txt'))
    (tmp_path / 'bad.txt').write_text('images/a.png\tbroken\n')
    said = (
        said.replace('(data', '\\(data')
        .replace('_prefix.seg_map_path)', '_prefix.seg_map_path\\)')
        .replace('root)', 'root\\)')
    )
    with pytest.raises(InputError, match=said):
        build(tmp_path, **options)


def test_items_as_the_pipeline_makes_them(tmp_path):
    """Colours become class numbers also inside other steps, and the step keeps its place."""
    write(tmp_path, 'images/a.png', 'masks/a.png')
    Image.fromarray(np.array([[[9, 9, 9], [1, 2, 3]]], np.uint8).repeat(6, 0).repeat(4, 1)).save(
        tmp_path / 'masks/a.png'
    )
    inner = [[dict(type='LoadAnnotations')], [dict(type='PackSegInputs', meta_keys=())]]
    pipeline = [LOAD[0], dict(type='TestTimeAug', transforms=inner)]
    for steps in (LOAD, pipeline):
        item = build(tmp_path, classes=dict(x=[1, 2, 3], y='#090909'), pipeline=steps)[0]
        label = item['gt_seg_map'] if steps is LOAD else item['data_samples'][0].gt_sem_seg.data[0].numpy()
        assert label.tolist() == [[1] * 4 + [0] * 4] * 6
    dataset = build(tmp_path, classes=dict(x=[1, 2, 3], y='#090909'))
    assert dataset.metainfo['palette'] == [[1, 2, 3], [9, 9, 9]] and dataset.metainfo['classes'] == ['x', 'y']


def test_without_masks(tmp_path):
    write(tmp_path, 'images/a.png')
    dataset = build(tmp_path, data_prefix=dict(img_path='images', seg_map_path=None), pipeline=LOAD[:1])
    assert 'seg_map_path' not in dataset.get_data_info(0)


def test_links_and_hidden_files(tmp_path):
    """A link to a folder is followed, one that leads back up ends, and what systems hide is no image."""
    write(tmp_path, 'elsewhere/a.png', 'masks/a.png', 'images/._b.png', 'images/.thumbs/c.png')
    os.symlink(tmp_path / 'elsewhere', tmp_path / 'images' / 'linked')
    os.symlink(tmp_path / 'images', tmp_path / 'elsewhere' / 'back')
    assert pairs(tmp_path) == {'images/linked/a.png': 'masks/a.png'}


def test_inferred_classes(tmp_path):
    write(tmp_path, 'images/a.png', 'masks/a.png', value=2)
    assert build(tmp_path, classes=None).metainfo['classes'] == ['class_0', 'class_1', 'class_2']
    Image.fromarray(np.array([[[0, 0, 0], [1, 2, 3]]], np.uint8)).save(tmp_path / 'masks/b.png')
    write(tmp_path, 'images/b.png')
    assert build(tmp_path, classes=None).metainfo['classes'] == ['#000000', '#010203', '#020202']
    (tmp_path / 'labelmap.txt').write_text(
        '# label:color_rgb:parts:actions\nground:0,0,0::\nhigh way:2,2,2::\nx:1,2,3::\n'
    )
    assert build(tmp_path, classes=None).metainfo['classes'] == ['ground', 'high way', 'x']


@pytest.mark.parametrize(
    'stored, form, expected',
    [
        ([0, 1, 255], MaskForm(2), [0, 1, 255]),
        ([0, 1, 2], MaskForm(2, reduce_zero_label=True), [255, 0, 1]),
        ([0, 1, 255], MaskForm(2, reduce_zero_label=True), [255, 0, 255]),
        ([0, 9, 255], MaskForm(2), [0, 9, 255]),
        ([0, 9, 255], MaskForm(2, others='ignored'), [0, 255, 255]),
        ([0, 9, 255], MaskForm(2, others='nearest'), [0, 1, 255]),
        ([0, 9, 1], MaskForm(2, others='nearest', reduce_zero_label=True), [255, 1, 0]),
        ([0, 9, 7], MaskForm(2, ignored=(9, 7)), [0, 255, 255]),
        ([0, 7, 1], MaskForm(2, ignored=(7,), ignore_index=5), [0, 5, 1]),
        ([7, 26, 255], MaskForm(2, numbers=(26, 7)), [1, 0, 255]),
        ([0, 128, 255], MaskForm(2, numbers=(0, 255), others='nearest'), [0, 1, 1]),
        ([0, 1, 255], MaskForm(2, kind='binary'), [0, 1, 1]),
        ([0, 128, 255], MaskForm(2, kind='binary', ignored=(128,)), [0, 255, 1]),
        ([0, 255, 255], MaskForm(2, colours=((0, 0, 0), (255, 255, 255))), [0, 1, 1]),
    ],
)
def test_forms_of_masks(tmp_path, stored, form, expected):
    Image.fromarray(np.array([stored], np.uint8)).save(tmp_path / 'm.png')
    assert classes_of_mask((tmp_path / 'm.png').read_bytes(), form, 'm.png').tolist() == [expected]


def test_three_ignored_numbers_and_one_ignored_colour():
    colours = ClassTable(('a', 'b'), colours=((0, 0, 0), (1, 1, 1)))
    assert form_of(colours, 'auto', (9, 8, 7), 'refuse', 255, False).ignored == ((9, 8, 7),)
    assert form_of(ClassTable(('a', 'b')), 'auto', (9, 8, 7), 'refuse', 255, False).ignored == (9, 8, 7)
