"""Pipelines that name the step and the file of an error, and check labels and images wherever they are loaded."""

import os
import pickle

import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image
from seg_data import LOAD, build, relabel, write_data

from repvgg_seg.data.checked_pipeline import Checks, check_pipeline, remove_label_checks, steps_in
from repvgg_seg.data.step_errors import name_of_step
from repvgg_seg.errors import InputError

PACK = dict(type='PackSegInputs')
ITEM = dict(num_classes=2, ignored_labels=(255,))


@TRANSFORMS.register_module()
class LoadNumpyForTest(BaseTransform):
    def transform(self, results):
        image = np.load(results['img_path'])
        return results | dict(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])


@TRANSFORMS.register_module()
class FailForTest(BaseTransform):
    def transform(self, results):
        raise KeyError('not\nthere')


@TRANSFORMS.register_module()
class RemapForTest(BaseTransform):
    def transform(self, results):
        results['gt_seg_map'][results['gt_seg_map'] == 9] = 255
        return results


@TRANSFORMS.register_module()
class LoadColoursForTest(BaseTransform):
    """A step that reads a label by itself: red is class 1."""

    def transform(self, results):
        results['gt_seg_map'] = (np.asarray(Image.open(results['seg_map_path']))[..., 0] == 200).astype(np.uint8)
        results['seg_fields'].append('gt_seg_map')
        return results


@TRANSFORMS.register_module()
class NoneForTest(BaseTransform):
    def transform(self, results):
        return None


@pytest.fixture
def root(tmp_path):
    return write_data(tmp_path)


def checked(root, steps, place='pipeline', **options):
    dataset = build(root, pipeline=steps, **{key: options.pop(key) for key in ('img_suffix',) if key in options})
    check_pipeline(dataset, Checks(place, ITEM, **options))
    return dataset


def refused(dataset, index=0):
    with pytest.raises(InputError) as error:
        dataset[index]
    assert '\n' not in str(error.value)
    return str(error.value)


def test_items_are_those_of_mmseg(root):
    steps = [*LOAD, dict(type='RandomFlip', prob=1.0), PACK]
    mine, theirs = checked(root, steps), build(root, pipeline=steps)
    assert mine.pipeline.transforms[1].__class__.__name__ == 'LoadAnnotations'
    for i in range(3):
        assert mine[i]['inputs'].equal(theirs[i]['inputs'])
        assert mine[i]['data_samples'].gt_sem_seg.data.equal(theirs[i]['data_samples'].gt_sem_seg.data)
    again = pickle.loads(pickle.dumps(mine))
    assert again[0]['inputs'].equal(mine[0]['inputs'])


@pytest.mark.slow
def test_a_step_names_itself_and_the_file(root):
    inner = dict(type='RandomApply', prob=1.0, transforms=[dict(type='RandomFlip', prob=1.0), dict(type='FailForTest')])
    assert refused(checked(root, [*LOAD, dict(type='FailForTest')], 'val.pipeline')).startswith(
        f"val.pipeline.2, FailForTest, failed at {root}/images/train/a.png: KeyError: 'not\\nthere'; "
        'it was given img 12x16x3 uint8, gt_seg_map 12x16 uint8'
    )
    assert 'pipeline.2 (RandomApply).1, FailForTest, failed at' in refused(checked(root, [*LOAD, inner]))
    choice = dict(type='RandomChoice', transforms=[[dict(type='FailForTest')]])
    assert 'pipeline.2 (RandomChoice).0, FailForTest' in refused(checked(root, [*LOAD, choice]))


def test_a_step_that_wants_labels_of_a_data_set_without(root):
    dataset = build(
        root, pipeline=[LOAD[0], dict(type='LoadColoursForTest')], data_prefix=dict(img_path='images/train')
    )
    check_pipeline(dataset, Checks())
    assert 'LoadColoursForTest, failed at' in (message := refused(dataset))
    assert message.endswith('set data_prefix.seg_map_path, or leave this step out of the pipeline')


@pytest.mark.slow
def test_nine_bands_are_not_damaged_for_a_step_that_takes_three(root):
    for path in (root / 'images').rglob('*.png'):
        np.save(path.with_suffix('.npy'), np.zeros((12, 16, 9), np.float32))
    steps = [dict(type='LoadNumpyForTest'), LOAD[1], dict(type='PhotoMetricDistortion')]
    np.random.seed(0)
    message = refused(checked(root, steps, img_suffix='.npy'))
    assert 'pipeline.2, PhotoMetricDistortion, failed at' in message and 'img 12x16x9 float32' in message
    assert 'damaged' not in message
    (root / 'images/train/a.npy').write_bytes(b'')
    assert 'a.npy: the file is empty (0 bytes)' in refused(checked(root, steps, img_suffix='.npy'))
    assert 'pipeline.0, LoadNumpyForTest' in refused(checked(root, steps, img_suffix='.npy'))


@pytest.mark.slow
@pytest.mark.parametrize('which', ['images', 'labels'])
@pytest.mark.parametrize(
    'change, said',
    [
        (os.remove, 'no such file: '),
        (lambda path: path.write_bytes(b''), 'the file is empty'),
        (lambda path: path.write_bytes(b'text'), 'damaged or not an image'),
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), 'damaged, a part of it is longer than the rest'),
        (lambda path: (path.unlink(), path.mkdir()), 'is a folder and not a file'),
    ],
)
def test_files_that_were_there_at_the_start(root, which, change, said):
    dataset = checked(root, LOAD)
    path = root / which / 'train/a.png'
    change(path)
    message = refused(dataset)
    assert said in message and str(path) in message and f'pipeline.{int(which == "labels")}, Load' in message


def test_a_file_that_may_not_be_read(root, monkeypatch):
    dataset = checked(root, LOAD)

    def get(path, **kwargs):
        raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr('mmengine.fileio.get', get)
    assert f'permission denied: {root}/images/train/a.png' in refused(dataset)


def test_a_cut_jpeg_that_a_decoder_fills_with_grey(root, monkeypatch):
    Image.new('RGB', (16, 12), 'red').save(root / 'images/train/a.jpg')
    whole = (root / 'images/train/a.jpg').read_bytes()
    dataset = checked(root, LOAD, img_suffix='.jpg')
    (root / 'images/train/a.jpg').write_bytes(whole[:-20])
    monkeypatch.setattr(
        'mmcv.imfrombytes', lambda *args, **kwargs: np.full((12, 16, 3), 128, np.uint8)
    )  # as OpenCV 4 does
    assert 'a.jpg: the file is damaged' in refused(dataset)


@pytest.mark.slow
def test_labels_are_checked_without_a_step_of_the_config(root):
    relabel(root, lambda label: Image.fromarray(np.where(label == 1, 9, label)))
    assert 'a.png holds the values [9]; allowed are 0 to 1 and 255' in refused(checked(root, [*LOAD, PACK]))
    assert checked(root, [*LOAD, PACK], labels=False)[0]
    apply = dict(type='RandomApply', prob=1.0, transforms=[LOAD[1]])
    assert 'holds the values [9]' in refused(checked(root, [LOAD[0], apply]))
    augmented = dict(type='TestTimeAug', transforms=[[dict(type='RandomFlip', prob=0.0)], [LOAD[1]], [PACK]])
    assert 'holds the values [9]' in refused(checked(root, [LOAD[0], augmented]))


def test_a_step_behind_may_put_labels_right(root):
    relabel(root, lambda label: Image.fromarray(np.where(label == 1, 9, label)))
    assert set(np.unique(checked(root, [*LOAD, dict(type='RemapForTest')])[0]['gt_seg_map'])) == {0, 255}
    relabel(root, lambda label: Image.fromarray(np.where(label == 0, 7, label)))
    assert 'holds the values [7]; allowed' in refused(checked(root, [*LOAD, dict(type='RemapForTest'), PACK]))


@pytest.mark.slow
def test_a_step_of_somebody_else_may_read_colours(root):
    relabel(root, lambda label: Image.fromarray(np.stack([label * 200, label, label], -1)))
    expected = np.resize([0, 1], (16, 12)).T
    for check in ([], [dict(type='CheckAnnotations')]):
        item = checked(root, [LOAD[0], dict(type='LoadColoursForTest'), *check, PACK])[0]
        assert (item['data_samples'].gt_sem_seg.data[0].numpy() == expected).all()
    assert 'got mode RGB' in refused(checked(root, [*LOAD, PACK]))


def test_what_was_cut_to_8_bits_cannot_be_put_right_behind(root):
    relabel(root, lambda label: Image.fromarray(label.astype(np.uint16) * 265))
    assert 'got mode I;16' in refused(checked(root, [*LOAD, dict(type='RemapForTest'), PACK]))


def test_the_step_of_the_config_says_where_labels_are_checked(root):
    relabel(root, lambda label: Image.fromarray(np.where(label == 1, 9, label)))
    steps = [*LOAD, dict(type='RemapForTest'), dict(type='CheckAnnotations')]
    assert checked(root, steps)[0]
    steps = [LOAD[0], dict(type='RandomApply', prob=1.0, transforms=[LOAD[1], dict(type='CheckAnnotations')])]
    dataset = checked(root, steps, labels=False)
    refused(dataset)
    remove_label_checks(dataset)
    assert dataset[0]


def test_numbers_that_are_none(root):
    image = np.zeros((12, 16, 3), np.float32)
    image[2, 3] = np.nan
    image[0, 0, 0] = np.inf
    np.save(root / 'images/train/a.npy', image)
    dataset = checked(root, [dict(type='LoadNumpyForTest'), LOAD[1]], img_suffix='.npy')
    assert 'a.npy holds 4 values that are NaN or infinite' in refused(dataset)


def test_one_image_of_other_channels(root):
    Image.new('L', (16, 12)).save(root / 'images/train/b.png')
    dataset = checked(root, [dict(type='LoadImageFromFile', color_type='unchanged'), LOAD[1], PACK], channels=3)
    assert dataset[0]['inputs'].shape[0] == 3
    assert 'b.png comes out of pipeline with 1 channels, the model takes 3' in refused(dataset, 1)


def test_a_step_that_returns_none_for_ever(root):
    dataset = checked(root, [*LOAD, dict(type='NoneForTest')], most_empty=5)
    assert 'NoneForTest returned None for 6 images in a row' in refused(dataset)


def test_the_pipeline_around_other_data_sets(root):
    inner = dict(type='ConcatDataset', datasets=[dict(type='CheckedSegDataset', data_root=str(root), pipeline=LOAD,
        img_suffix='.png', metainfo=dict(classes=['a', 'b']), data_prefix=dict(img_path='images/train', seg_map_path='labels/train'))])  # fmt: skip
    steps = [dict(type='RandomMosaic', prob=1.0, img_scale=(12, 16))]
    dataset = DATASETS.build(dict(type='MultiImageMixDataset', dataset=inner, pipeline=steps))
    check_pipeline(dataset, Checks('mixed'))
    assert pickle.loads(pickle.dumps(dataset))[0]['img'].shape == (24, 32, 3)  # a mosaic of four
    assert 'RandomMosaic' in map(name_of_step, steps_in(dataset.pipeline)), 'settings are read from the step itself'
    dataset = DATASETS.build(dict(type='MultiImageMixDataset', dataset=inner, pipeline=[dict(type='FailForTest')]))
    check_pipeline(dataset, Checks('mixed'))
    assert refused(dataset).startswith(f'mixed.0, FailForTest, failed at {root}')
