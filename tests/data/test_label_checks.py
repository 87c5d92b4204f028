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
        check(image.astype(np.uint8), path=path)  # as LoadAnnotations has it
    check(label(0, 1, 2), path=path)  # as a step of somebody else makes class numbers of it


def test_a_label_file_of_another_format(tmp_path):
    np.save(tmp_path / 'label.npy', label(0, 1, 2))
    check(label(0, 1, 2), path=tmp_path / 'label.npy')


@pytest.mark.parametrize(
    'values, ignored, said',
    [
        ((0, 10, 11), (11,), ''),
        (
            (0, 255),
            (11,),
            r'\[255\]; allowed are 0 to 10 and 11 \(ignored\): where 255 means ignored, set ignore_index=255',
        ),
        ((0, 11), (11, 255), ''),
        ((0, 11, 255), (255,), 'where 11 means ignored, set ignore_index=11 of the data set, the heads and the metric'),
        ((1, 11), (255,), 'counted from 1, set reduce_zero_label=True'),
        ((0, 12, 13), (255,), r'\[12, 13\].*: convert the labels, or name all classes'),
        (range(100), (255,), r'\[11, 12, 13, 14, 15, 16, 17, 18\] and 81 more'),
    ],
)
def test_the_ignored_value_is_that_of_the_data_set(values, ignored, said):
    item = results(label(*values), 11) | dict(ignored_labels=ignored)
    if not said:
        assert CheckAnnotations()(item) is item
        return
    with pytest.raises(InputError, match=said):
        CheckAnnotations()(item)


def test_wide_files_whose_values_fit_and_arrays_of_other_types(tmp_path):
    path = tmp_path / 'label.png'
    cv2.imwrite(str(path), np.full((2, 3), 18, np.uint16))
    check(label(18, 18, 18), path=path)
    wide = np.array([[0, 299], [65535, 3]], np.uint16)
    good = results(wide, 300) | dict(ignored_labels=(65535,))
    assert CheckAnnotations()(good) is good
    with pytest.raises(InputError, match=r'\[65535\]'):
        CheckAnnotations()(results(wide, 300))
    with pytest.raises(InputError, match=r'holds the values \[-1\]'):
        CheckAnnotations()(results(np.array([[-1, 0]], np.int64), 2))
    CheckAnnotations()(results(np.zeros((4, 2, 3), np.float32), 2, shape=(4, 2, 3)))  # a volume


def test_without_a_number_of_classes_form_and_size_are_checked():
    item = results(label(0, 200))
    del item['num_classes']
    assert CheckAnnotations()(item) is item
    with pytest.raises(InputError, match='its image'):
        CheckAnnotations()(item | dict(ori_shape=(7, 7)))
