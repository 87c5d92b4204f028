"""The lines that are logged about data sets before a run, and what is refused there."""

import logging

import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.dataset import ConcatDataset
from mmseg.registry import TRANSFORMS
from PIL import Image
from seg_data import LOAD, build, relabel, write_data

from repvgg_seg.data import data_set_report
from repvgg_seg.data.checked_pipeline import Checks, check_pipeline
from repvgg_seg.data.data_set_report import report_data_sets
from repvgg_seg.data.label_checks import ignored_labels
from repvgg_seg.data.label_sample import sample_labels
from repvgg_seg.errors import InputError


@TRANSFORMS.register_module()
class MasksElsewhereForTest(BaseTransform):
    """A step of somebody else that finds labels by the path of the image."""

    def transform(self, results):
        path = results['img_path'].replace('images', 'masks')
        return results | dict(gt_seg_map=np.asarray(Image.open(path)))


@pytest.fixture
def said(monkeypatch):
    """(level, line) of what is logged."""
    lines = []
    monkeypatch.setattr(data_set_report, 'print_log', lambda text, logger, level: lines.append((level, text)))
    return lines


@pytest.fixture
def root(tmp_path):
    return write_data(tmp_path)


def checked(root, **options):
    dataset = build(root, **options)
    item = dict(num_classes=len(dataset.metainfo['classes']), ignored_labels=ignored_labels(dataset))
    check_pipeline(dataset, Checks(item=item))
    return dataset


@pytest.mark.slow
def test_a_line_for_each_data_set(root, said):
    write_data(root, ('v',), folder='val')
    parts = dict(
        train=checked(root),
        val=ConcatDataset([checked(root, folder='val'), checked(root, folder='val', pipeline=LOAD[:1])]),
    )
    report_data_sets(parts, check_labels=True)
    assert said == [
        (logging.INFO, f'train data: BaseSegDataset, {root}/images/train: 3 images, 3 labels'),
        (logging.INFO, f'val data: BaseSegDataset, {root}/images/val: 1 images, 1 labels'),
        (logging.INFO, f'val data: BaseSegDataset, {root}/images/val: 1 images, no labels are read'),
    ]


def test_labels_that_a_step_of_somebody_else_finds(root, said):
    (root / 'labels').rename(root / 'masks')
    report_data_sets(
        dict(train=checked(root, pipeline=[LOAD[0], dict(type='MasksElsewhereForTest')])), check_labels=True
    )
    assert said == [(logging.INFO, f'train data: BaseSegDataset, {root}/images/train: 3 images, 3 labels')]
    (root / 'masks/train/b.png').unlink()
    dataset = checked(root, pipeline=[LOAD[0], dict(type='MasksElsewhereForTest')])
    with pytest.raises(InputError, match='no such file: .*masks/train/b.png.*MasksElsewhereForTest'):
        report_data_sets(dict(train=dataset), check_labels=True)


def test_what_is_left_out_and_what_is_in_both(root, said):
    write_data(root, ('z',), '.PNG')
    report_data_sets(dict(train=checked(root), val=checked(root)), check_labels=False)
    (level, line), _, shared = said
    assert level == logging.WARNING and line.endswith(
        "3 images, 3 labels; left out: 1 *.PNG (img_suffix is '.png': to have them, set img_suffix=('.png', '.PNG') "
        'of CheckedSegDataset, since this class takes one ending)'
    )
    assert shared == (
        logging.WARNING,
        f'3 images are in the training and in the validation set, such as {root}/images/train/a.png',
    )


def test_classes_that_do_not_occur(root, said):
    report_data_sets(dict(train=checked(root, classes='abcd')), check_labels=True)
    assert said[1] == (
        logging.WARNING,
        'train data: 2 of 4 classes do not occur in any of the 3 labels: c (2), d (3); '
        'convert the labels, or leave the classes out',
    )
    report_data_sets(dict(train=checked(root, classes='abcd')), check_labels=False)
    assert len(said) == 3


def test_a_class_outside_the_sample_may_occur(tmp_path, said, monkeypatch):
    root = write_data(tmp_path, map(str, range(9)))
    monkeypatch.setattr(data_set_report, 'sample_labels', lambda dataset: sample_labels(dataset, most=4))
    report_data_sets(dict(train=checked(root, classes='abc')), check_labels=True)
    assert 'do not occur in the 4 labels that were read, of 9: c (2); others may hold them' in said[1][1]


@pytest.mark.slow
@pytest.mark.parametrize(
    'change, held',
    [
        (lambda label: label * 0, r'only ground \(0\) and never road \(1\).*the values \[0\] alone'),
        (
            lambda label: label * 255,
            r'only ground \(0\) and never road.*255 is ignored: where it means class 1, convert',
        ),
        (lambda label: label * 0 + 255, r'nothing but ignored pixels.*the values \[255\] alone'),
        (lambda label: label * 0 + 1, r'only road \(1\) and never ground \(0\)'),
    ],
)
def test_labels_of_one_class_train_nothing(root, said, change, held):
    relabel(root, lambda label: Image.fromarray(change(label)))
    with pytest.raises(InputError, match=f'^train data: all 3 labels hold {held}'):
        report_data_sets(dict(train=checked(root)), check_labels=True)
    report_data_sets(dict(test=checked(root)), check_labels=True)  # a test says it
    assert said[-1][0] == logging.WARNING and 'do not occur in any of the 3 labels' in said[-1][1]


def test_a_set_of_one_class_is_not_refused(tmp_path, said):
    report_data_sets(dict(train=checked(write_data(tmp_path, values=(0, 255)), classes=['all'])), check_labels=True)
    assert len(said) == 1


def test_one_label_of_another_class_is_enough(tmp_path, said):
    """Wherever it is: all labels are read before a set is refused."""
    root = write_data(tmp_path, map(str, range(300)), values=(0,))
    Image.fromarray(np.ones((12, 16), np.uint8)).save(root / 'labels/train/137.png')
    report_data_sets(dict(train=checked(root)), check_labels=True)
    assert not [line for level, line in said if level == logging.WARNING]


def test_only_a_training_set_is_searched_for_another_class_and_not_for_ever(tmp_path, said, monkeypatch):
    dataset = checked(write_data(tmp_path, map(str, range(9)), values=(0,)))
    monkeypatch.setattr(data_set_report, 'sample_labels', lambda dataset: sample_labels(dataset, most=4))
    report_data_sets(dict(val=dataset), check_labels=True)
    assert '1 of 2 classes do not occur in the 4 labels that were read, of 9' in said[-1][1]
    monkeypatch.setattr(data_set_report, '_SECONDS_OF_ONE_CLASS', -1.0)
    report_data_sets(dict(train=dataset), check_labels=True)
    assert '1 of 2 classes do not occur in the 4 labels that were read, of 9' in said[-1][1]


def test_a_set_with_the_foreground_and_one_without(root, said):
    write_data(root, ('n',), values=(1,), folder='other')
    relabel(root, lambda label: Image.fromarray(label * 0 if label.min() == 0 else label))
    report_data_sets(dict(train=ConcatDataset([checked(root), checked(root, folder='other')])), check_labels=True)


def test_wrong_values_name_a_file_and_how_many_more(root):
    relabel(root, lambda label: Image.fromarray(label + 1))
    with pytest.raises(
        InputError,
        match=r'^train data: .*labels/train/.\.png, like 2 more of the 3 labels that were read, holds the values \[2\]',
    ):
        report_data_sets(dict(train=checked(root)), check_labels=True)


def test_damaged_files_and_empty_sets(root):
    (root / 'images/train/b.png').write_bytes(b'')
    with pytest.raises(InputError, match=r'^train data: cannot decode .*b.png: the file is empty'):
        report_data_sets(dict(train=checked(root)), check_labels=True)
    with pytest.raises(InputError, match='loads labels, and no image has one: set data_prefix.seg_map_path'):
        report_data_sets(dict(train=checked(root, data_prefix=dict(img_path='images/train'))), check_labels=True)
    with pytest.raises(InputError, match='^val data: BaseSegDataset has no images'):
        report_data_sets(dict(val=checked(root, serialize_data=False, img_suffix='.jpg')), check_labels=True)


@pytest.mark.slow
def test_photographs_with_an_orientation(tmp_path, said):
    root = write_data(tmp_path, suffix='.jpg')
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.new('RGB', (16, 12)).save(root / 'images/train/a.jpg', exif=exif)
    report_data_sets(dict(train=checked(root, img_suffix='.jpg')), check_labels=True)
    assert said[1][0] == logging.WARNING and said[1][1] == (
        'train data: 1 of 3 images that were looked at carry an EXIF orientation (1 with 3) and are read turned as the tag '
        "says; if their labels were drawn on the other form, set color_type='color_ignore_orientation' of LoadImageFromFile"
    )
    exif[0x0112] = 6
    Image.new('RGB', (16, 12)).save(root / 'images/train/a.jpg', exif=exif)
    with pytest.raises(InputError, match='a.png is 12x16, its image .*a.jpg 16x12'):
        report_data_sets(dict(train=checked(root, img_suffix='.jpg')), check_labels=True)
    Image.new('RGB', (12, 16)).save(root / 'images/train/a.jpg', exif=exif)
    report_data_sets(dict(train=checked(root, img_suffix='.jpg')), check_labels=True)
    assert said[-1][0] == logging.INFO and said[-1][1].endswith('are read turned as the tag says')


def test_the_ignored_value_that_is_a_class(root, said):
    report_data_sets(dict(train=checked(root, classes='abc', ignore_index=0)), check_labels=False)
    assert said[1] == (logging.WARNING, 'train data: ignore_index=0 is the number of the class a: it is never trained')
