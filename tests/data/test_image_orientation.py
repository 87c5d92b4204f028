"""Photographs with an orientation tag, whose labels were drawn on one of two forms."""

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from PIL import Image
from seg_data import LOAD, build, write_data

from repvgg_seg.data.checked_pipeline import Checks, check_pipeline
from repvgg_seg.data.image_orientation import count_orientations, fits_as_read, orientation_of, turns_images
from repvgg_seg.errors import InputError


def tag(path, orientation):
    """Give an image an orientation tag; its pixels stay."""
    with Image.open(path) as image:
        image.load()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)


@pytest.fixture
def root(tmp_path):
    write_data(tmp_path, suffix='.jpg')
    tag(tmp_path / 'images/train/a.jpg', 6)
    tag(tmp_path / 'images/train/b.jpg', 3)
    return tmp_path


def test_tags(root):
    paths = [str(root / f'images/train/{name}.jpg') for name in 'abc'] + [str(root / 'none.jpg'), __file__]
    assert [orientation_of(path) for path in paths] == [6, 3, 1, 1, 1]
    assert count_orientations(paths) == {6: 1, 3: 1}


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize(
    'color_type', ['color', 'grayscale', 'unchanged', 'color_ignore_orientation', 'grayscale_ignore_orientation']
)
def test_what_loaders_turn(root, backend, color_type):
    loader = LoadImageFromFile(color_type=color_type, imdecode_backend=backend)
    turned = loader(dict(img_path=str(root / 'images/train/a.jpg')))['img'].shape[:2] == (16, 12)
    assert turns_images(loader) is turned


@pytest.mark.slow
@pytest.mark.parametrize(
    'color_type, label_turned, setting',
    [
        (
            'color',
            False,
            "is read turned as the tag says, but its label is not: set color_type='color_ignore_orientation'",
        ),
        ('unchanged', True, "is read as stored, but its label is not: set color_type='color'"),
        ('color', True, ''),
        ('color_ignore_orientation', False, ''),
    ],
)
def test_the_size_of_a_label_shows_the_form(root, color_type, label_turned, setting):
    image, label = root / 'images/train/a.jpg', root / 'labels/train/a.png'
    if label_turned:
        Image.fromarray(np.zeros((16, 12), np.uint8)).save(label)
    dataset = build(root, img_suffix='.jpg', pipeline=[dict(type='LoadImageFromFile', color_type=color_type), LOAD[1]])
    check_pipeline(dataset, Checks(item=dict(num_classes=2)))
    fits, fault = fits_as_read(str(image), str(label), color_type == 'color')
    assert fits is not bool(setting) and setting in fault
    if not setting:
        assert dataset[0]['img'].shape[:2] == dataset[0]['gt_seg_map'].shape
        return
    with pytest.raises(InputError, match='carries the EXIF orientation 6') as error:
        dataset[0]
    assert setting in str(error.value)


def test_upside_down_shows_in_no_size(root):
    assert fits_as_read(str(root / 'images/train/b.jpg'), str(root / 'labels/train/b.png'), True) == (False, '')
