"""Images in memory: every form of one picture is the same to the network."""

import numpy as np
import pytest
import torch
from PIL import Image

from repvgg_seg.errors import InputError
from repvgg_seg.inference.image_values import drawable, image_values

FORMS = {
    'BGR': lambda rgb: (rgb[..., ::-1], None),
    'RGB': lambda rgb: (rgb, 'rgb'),
    'BGRA': lambda rgb: (np.dstack([rgb[..., ::-1], rgb[..., 0]]), None),
    'RGBA': lambda rgb: (np.dstack([rgb, rgb[..., 0]]), 'rgb'),
    '16 bits': lambda rgb: (rgb[..., ::-1].astype(np.uint16) * 257, None),
    'floats to 1': lambda rgb: (rgb[..., ::-1] / 255, None),
    'floats to 255': lambda rgb: (rgb[..., ::-1].astype(np.float32), None),
    'int64': lambda rgb: (rgb[..., ::-1].astype(np.int64), None),
    'PIL': lambda rgb: (Image.fromarray(rgb), None),
    'PIL RGBA': lambda rgb: (Image.fromarray(rgb).convert('RGBA'), None),
    'tensor': lambda rgb: (torch.from_numpy(rgb.copy()).permute(2, 0, 1), None),
    'tensor BGR': lambda rgb: (torch.from_numpy(rgb[..., ::-1].copy()).permute(2, 0, 1), 'bgr'),
    'tensor of floats': lambda rgb: (torch.from_numpy(rgb / 255).permute(2, 0, 1).requires_grad_(), None),
    'tensor of half precision to 255': lambda rgb: (torch.from_numpy(rgb.copy()).permute(2, 0, 1).half(), None),
}


@pytest.mark.parametrize('form', FORMS)
def test_forms_of_one_picture(picture, form):
    image, order = FORMS[form](picture)
    values = image_values(image, order)
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, picture[..., ::-1])


@pytest.mark.parametrize(
    'image, value',
    [
        (np.full((4, 5), 7, np.uint8), 7),
        (np.full((4, 5, 1), 7, np.uint8), 7),
        (torch.full((1, 4, 5), 7, dtype=torch.uint8), 7),
        (torch.full((4, 5), 7, dtype=torch.uint8), 7),
        (np.ones((4, 5), bool), 255),
        (Image.new('L', (5, 4), 7), 7),
        (Image.new('1', (5, 4), 1), 255),
        (Image.new('I;16', (5, 4), 7 * 257), 7),
        (Image.new('I', (5, 4), 7 * 257), 7),
        (np.full((1, 1, 3), 9, np.uint8), 9),
    ],
)
def test_grey_images(image, value):
    values = image_values(image)
    assert values.shape[2] == 3 and values.shape[:2] in ((4, 5), (1, 1)) and (values == value).all()


def test_an_orientation_of_pil_is_followed(picture):
    image, exif = Image.fromarray(picture), Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    image.info['exif'] = exif.tobytes()
    np.testing.assert_array_equal(image_values(image), np.rot90(picture[..., ::-1], -1))


@pytest.mark.parametrize(
    'image, said',
    [
        (np.zeros((3, 64, 96), np.uint8), r'shape \(3, 64, 96\).* give \(H, W, 3\)'),
        (np.zeros((0, 5, 3), np.uint8), r'shape \(0, 5, 3\)'),
        (np.zeros(5), r'shape \(5,\)'),
        (torch.zeros(64, 96, 3), r'is \(H, W, C\).*permute'),
        (torch.zeros(3, 4, 4).to_sparse(), 'sparse'),
        (torch.zeros(3, 4, 4, device='meta'), 'no values'),
        (np.full((4, 4, 3), np.nan), 'values from nan'),
        (np.full((4, 4, 3), -1), 'values from -1'),
        (np.full((4, 4, 3), 300.0), 'to 300'),
        (np.zeros((4, 4, 3), complex), 'complex'),
        (np.full((4, 4, 3), 'a'), 'cannot be predicted'),
        (None, 'got None'),
        (3, 'got 3'),
        (b'bytes', 'bytes'),
    ],
)
def test_what_is_no_image(image, said):
    with pytest.raises(InputError, match=said):
        image_values(image)


def test_an_order_of_channels_that_is_none():
    with pytest.raises(InputError, match="must be 'bgr' or 'rgb', got 'RGB'"):
        image_values(np.zeros((4, 4, 3)), 'RGB')


def test_other_numbers_of_channels():
    image = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    assert image_values(image, channels=6) is not None and drawable(image).shape == (4, 5, 3)
    with pytest.raises(InputError, match='has 6 channels, the network takes 4'):
        image_values(image, channels=4)
