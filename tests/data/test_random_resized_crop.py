"""The random crop of ImageNet training."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import TRANSFORMS
from PIL import Image

from repvgg_seg.data import LoadRandomResizedCrop
from repvgg_seg.errors import InputError


def crop(path, size=32, **kwargs):
    return LoadRandomResizedCrop(size, **kwargs).transform(dict(img_path=str(path)))['img']


def photo(width, height):
    """A smooth picture, so that decoding at a part of the size changes little."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 200 // width, y * 200 // height, (x + y) * 100 // (width + height)], -1).astype(np.uint8)


def test_shares_and_ratios_are_those_that_were_asked_for():
    draw = LoadRandomResizedCrop(32).draw
    np.random.seed(0)
    crops = np.array([draw(500, 375) for _ in range(4000)])
    left, top, width, height = crops.T
    assert (left >= 0).all() and (top >= 0).all() and (left + width <= 500).all() and (top + height <= 375).all()
    share, ratio = width * height / (500 * 375), width / height
    assert 0.078 < share.min() < 0.09 and share.max() > 0.95
    assert 0.73 < ratio.min() < 0.77 and 1.30 < ratio.max() < 1.36
    assert abs(np.log(ratio).mean()) < 0.03  # as likely wide as high: drawn on a logarithmic scale
    assert left.max() > 350 and top.max() > 250


def test_an_image_too_narrow_for_any_crop():
    assert LoadRandomResizedCrop(32, scale=(1, 1)).draw(411, 40) == (179, 0, 53, 40)
    assert LoadRandomResizedCrop(32, scale=(1, 1)).draw(30, 400) == (0, 180, 30, 40)


@pytest.mark.parametrize('size', [40, 100, 200, 390])
def test_the_whole_image_is_that_of_plain_decoding_and_resizing(tmp_path, size):
    """The crop is the whole image: an eighth, a quarter, half and all of it are decoded."""
    Image.fromarray(photo(400, 400)).save(tmp_path / 'a.jpg', quality=95)
    found = crop(tmp_path / 'a.jpg', size, scale=(1, 1), ratio=(1, 1))
    expected = Image.open(tmp_path / 'a.jpg').resize((size, size), Image.Resampling.BILINEAR)
    difference = np.abs(found[..., ::-1].astype(int) - np.array(expected))
    assert difference.mean() < 1.5


def test_the_crop_is_where_it_was_drawn(tmp_path, monkeypatch):
    """Left, top, width and height in pixels of the file, also where it is decoded at half its size."""
    picture = photo(400, 300)
    Image.fromarray(picture).save(tmp_path / 'a.jpg', quality=95)
    monkeypatch.setattr(LoadRandomResizedCrop, 'draw', lambda *_: (100, 40, 240, 160))
    for size in (160, 80, 40):
        found = crop(tmp_path / 'a.jpg', size)[..., ::-1].astype(int)
        expected = np.array(Image.fromarray(picture[40:200, 100:340]).resize((size, size), Image.Resampling.BOX))
        assert np.abs(found - expected).mean() < 2, size


@pytest.mark.parametrize('mode', ['L', 'CMYK', 'P', 'RGBA', '1'])
def test_pictures_of_other_modes(tmp_path, mode):
    name = 'a.jpg' if mode in ('L', 'CMYK') else 'a.png'
    Image.fromarray(photo(64, 48)).convert(mode).save(tmp_path / name)
    found = crop(tmp_path / name, 48, scale=(1, 1), ratio=(4 / 3, 4 / 3))
    assert found.shape == (48, 48, 3) and found.dtype == np.uint8
    expected = np.array(Image.open(tmp_path / name).convert('RGB').resize((48, 48), Image.Resampling.BILINEAR))
    assert np.abs(found[..., ::-1].astype(int) - expected).mean() < (60 if mode == '1' else 6)


@pytest.mark.parametrize('mode', ['L', 'CMYK', 'RGB'])
def test_evaluation_takes_other_modes_too(tmp_path, mode):
    Image.fromarray(photo(64, 48)).convert(mode).save(tmp_path / 'a.jpg')
    load = TRANSFORMS.build(dict(type='LoadImageFromFile', imdecode_backend='pillow'))
    assert load(dict(img_path=str(tmp_path / 'a.jpg')))['img'].shape == (48, 64, 3)


def test_ranges_that_are_none():
    with pytest.raises(InputError, match=r'scale must be \(from, to\), both positive, got \(1, 0.5\)'):
        LoadRandomResizedCrop(32, scale=(1, 0.5))
    for kwargs, message in (
        (dict(ratio=(0, 1)), 'ratio must be'),
        (dict(scale=0.5), 'scale must be .* got 0.5'),
        (dict(size=0), 'size must be a positive integer'),
        (dict(size=(64, 64)), r'got \(64, 64\)'),
    ):
        with pytest.raises(InputError, match=message):
            LoadRandomResizedCrop(**dict(dict(size=32), **kwargs))


def test_orientation_of_a_phone_is_left_alone(tmp_path):
    """As Pillow does in evaluation: a sample is the pixels of its file."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo(64, 48)).save(tmp_path / 'a.jpg', exif=exif)
    assert cv2.imread(str(tmp_path / 'a.jpg')).shape == (64, 48, 3)
    found = crop(tmp_path / 'a.jpg', 48, scale=(1, 1), ratio=(4 / 3, 4 / 3))
    expected = np.array(Image.open(tmp_path / 'a.jpg').resize((48, 48), Image.Resampling.BILINEAR))
    assert np.abs(found[..., ::-1].astype(int) - expected).mean() < 2
    step = Config.fromfile('configs/imagenet/repvgg_a0_120e.py').test_pipeline[0]
    assert TRANSFORMS.build(step)(dict(img_path=str(tmp_path / 'a.jpg')))['img'].shape == (48, 64, 3)
