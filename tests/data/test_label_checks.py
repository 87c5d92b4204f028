"""Labels that the pipeline refuses: other channels, sizes and values."""

import cv2
import numpy as np
import pytest

from repvgg_seg.data import CheckAnnotations
from repvgg_seg.errors import InputError


def results(label, num_classes=19, shape=None, path='label.png'):
    shape = shape or label.shape[:2]
    return dict(
        gt_seg_map=label, seg_map_path=str(path), img_path='image.png', ori_shape=shape, num_classes=num_classes
    )


def label(*values):
    return np.array([values, values], np.uint8)


def check(*args, **kwargs):
    return CheckAnnotations()(results(*args, **kwargs))


def test_good_labels_pass_unchanged():
    good = results(label(0, 18, 255))
    assert CheckAnnotations()(good) is good
    assert CheckAnnotations()(dict(img_path='no label')) == dict(img_path='no label')


def test_raw_cityscapes_ids_are_recognised():
    with pytest.raises(
        InputError, match=r'label.png holds the values \[23, 26\].*raw Cityscapes label ids.*prepare_cityscapes'
    ):
        check(label(7, 23, 26))


@pytest.mark.parametrize('value, classes', [(11, 11), (254, 11), (19, 11), (200, 19)])
def test_values_out_of_range(value, classes):
    with pytest.raises(InputError, match=rf'values \[{value}\]; allowed are 0 to {classes - 1} and 255') as error:
        check(label(0, value), num_classes=classes)
    assert 'Cityscapes' not in str(error.value)


def test_another_size_than_the_image():
    with pytest.raises(InputError, match='label.png is 2x3, its image image.png 4x3'):
        check(label(0, 1, 2), shape=(4, 3))


@pytest.mark.parametrize(
    'image, mode',
    [(np.zeros((2, 3, 3), np.uint8), 'RGB'), (np.full((2, 3), 256, np.uint16), 'I;16')],
    ids=['colour', '16 bit'],
)
def test_a_label_file_that_is_not_one_8_bit_channel(tmp_path, image, mode):
    path = tmp_path / 'label.png'
    cv2.imwrite(str(path), image)
    with pytest.raises(InputError, match=f'one 8-bit channel of class numbers, got mode {mode}'):
        check(label(0, 0, 0), path=path)
