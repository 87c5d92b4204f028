"""Scenes in the layout of Cityscapes: what is read, and which folder, label or image is said to be at fault."""

import shutil

import cv2
import numpy as np
import pytest
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from repvgg_seg.errors import InputError

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='CheckAnnotations')]


def cityscapes(root, split='train', **kwargs):
    prefix = dict(img_path=f'leftImg8bit/{split}', seg_map_path=f'gtFine/{split}')
    cfg = dict(type='CheckedCityscapesDataset', data_root=str(root), data_prefix=prefix, pipeline=PIPELINE)
    return DATASETS.build(cfg | kwargs)


@pytest.fixture
def copy(scenes, tmp_path):
    return shutil.copytree(scenes, tmp_path / 'copy')


def test_scenes_in_the_layout_of_cityscapes(scenes):
    dataset = cityscapes(scenes)
    assert len(dataset) == 4 and dataset.metainfo['classes'] == CityscapesDataset.METAINFO['classes']
    item = dataset[0]
    assert item['img'].shape == (64, 128, 3) and item['gt_seg_map'].shape == (64, 128) and item['num_classes'] == 19


def test_missing_data_set_says_what_to_do(tmp_path):
    with pytest.raises(InputError) as error:
        cityscapes(tmp_path / 'nowhere')
    for words in (
        'nowhere/leftImg8bit/train',
        'leftImg8bit_trainvaltest.zip',
        'prepare_cityscapes.py',
        'make_synthetic_scenes.py',
    ):
        assert words in str(error.value)
    assert '\n' not in str(error.value)


def test_empty_folder(copy):
    for image in (copy / 'leftImg8bit').rglob('*.png'):
        image.unlink()
    with pytest.raises(InputError, match=r'no \*_leftImg8bit.png in .*leftImg8bit/train'):
        cityscapes(copy)


def test_labels_not_prepared(copy):
    for label in (copy / 'gtFine' / 'train').rglob('*_gtFine_labelTrainIds.png'):
        label.unlink()
    with pytest.raises(
        InputError, match=r'4 of 4 images have no label, such as .*labelTrainIds.png.*prepare_cityscapes'
    ):
        cityscapes(copy)


def test_images_without_labels_for_prediction_alone(copy):
    shutil.rmtree(copy / 'gtFine')
    dataset = cityscapes(copy, data_prefix=dict(img_path='leftImg8bit/val'), pipeline=PIPELINE[:1], test_mode=True)
    assert dataset[0]['img'].shape == (64, 128, 3)


def test_raw_ids_in_place_of_train_ids(copy):
    with pytest.raises(InputError, match='raw Cityscapes label ids in place of trainIds'):
        cityscapes(copy, seg_map_suffix='_gtFine_labelIds.png')[0]


def test_label_of_another_size(copy):
    dataset = cityscapes(copy)
    path = dataset.get_data_info(0)['seg_map_path']
    cv2.imwrite(path, np.zeros((32, 64), np.uint8))
    with pytest.raises(InputError, match='is 32x64, its image .* 64x128'):
        dataset[0]


@pytest.mark.slow
@pytest.mark.parametrize('which', ['img_path', 'seg_map_path'])
@pytest.mark.parametrize('content', [b'', b'not an image', None], ids=['empty', 'text', 'truncated'])
def test_a_file_that_cannot_be_decoded_is_named(copy, which, content):
    dataset = cityscapes(copy)
    path = dataset.get_data_info(1)[which]
    with open(path, 'rb') as file:
        whole = file.read()
    with open(path, 'wb') as file:
        file.write(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=f'cannot decode {path}'):
        dataset[1]


def test_other_errors_name_the_step_and_are_not_blamed_on_the_file(scenes):
    dataset = cityscapes(scenes, pipeline=[*PIPELINE, lambda results: 1 / 0])
    with pytest.raises(
        InputError, match=r'pipeline.3, <lambda>, failed at .*_leftImg8bit.png: ZeroDivisionError'
    ) as error:
        dataset[0]
    assert 'img 64x128x3 uint8, gt_seg_map 64x128 uint8' in str(error.value) and 'damaged' not in str(error.value)
    assert isinstance(error.value.__cause__, ZeroDivisionError)
