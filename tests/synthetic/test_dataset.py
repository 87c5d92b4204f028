"""Data sets of synthetic scenes: the files of Cityscapes, completed when interrupted, never mixed."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.labels import id2label
from mmseg.datasets import CityscapesDataset

from repvgg_seg.errors import InputError
from repvgg_seg.synthetic import dataset as synthetic
from repvgg_seg.synthetic import draw_scene
from repvgg_seg.synthetic.dataset import generate, scene_rng

SIZE = (64, 128)
TRAIN_ID = np.full(256, 255, np.uint8)
for _id, _label in id2label.items():
    if _id >= 0:
        TRAIN_ID[_id] = _label.trainId


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def contents(root):
    """Bytes of every file below the root by relative path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob('*')) if path.is_file()}


@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp('data') / 'synthetic'
    assert generate(root, {'train': 3, 'val': 2}, SIZE, seed=5) == 5
    return root


@pytest.mark.slow
def test_mmseg_reads_the_layout(dataset):
    for split, count in (('train', 3), ('val', 2)):
        pairs = CityscapesDataset(
            data_root=str(dataset), data_prefix=dict(img_path=f'leftImg8bit/{split}', seg_map_path=f'gtFine/{split}')
        )
        assert len(pairs) == count
        for index in range(count):
            image, label = read(pairs[index]['img_path']), read(pairs[index]['seg_map_path'])
            assert image.shape == (*SIZE, 3) and label.shape == SIZE
            assert set(np.unique(label)) <= {*range(19), 255}
            expected_image, expected_label = draw_scene(scene_rng(5, split, index), *SIZE)
            np.testing.assert_array_equal(image, expected_image)
            np.testing.assert_array_equal(label, TRAIN_ID[expected_label])


def test_names_are_those_of_cityscapes(dataset):
    stem = 'synthval_000001_000019'
    assert (dataset / f'leftImg8bit/val/synthval/{stem}_leftImg8bit.png').is_file()
    kinds = sorted(path.name for path in (dataset / 'gtFine/val/synthval').glob(f'{stem}*'))
    assert kinds == [f'{stem}_gtFine_{kind}.png' for kind in ('color', 'labelIds', 'labelTrainIds')]
    assert len(contents(dataset)) == 4 * 5 + 1  # four files a scene and the record


def test_the_three_label_files_agree(dataset):
    for path in dataset.glob('gtFine/*/*/*_labelIds.png'):
        ids = read(path)
        train_ids = read(str(path).replace('labelIds', 'labelTrainIds'))
        colour = read(str(path).replace('labelIds', 'color'))[..., ::-1]
        assert set(np.unique(ids)) <= set(id2label) - {-1}
        for label_id in np.unique(ids):
            label = id2label[int(label_id)]
            assert set(np.unique(train_ids[ids == label_id])) == {label.trainId}
            assert (colour[ids == label_id] == label.color).all()


def test_scenes_do_not_depend_on_the_counts(dataset, tmp_path):
    generate(tmp_path / 'more', {'train': 4, 'test': 1}, SIZE, seed=5)
    few, more = contents(dataset), contents(tmp_path / 'more')
    shared = set(few) & set(more) - {'synthetic.json'}
    assert len(shared) == 4 * 3
    for name in shared:
        np.testing.assert_array_equal(read(dataset / name), read(tmp_path / 'more' / name))


def test_running_again_changes_nothing(dataset):
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob('*')}
    assert generate(dataset, {'val': 2, 'train': 3, 'test': 0}, list(SIZE), seed=5) == 0
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob('*')} == before


def test_an_interrupted_run_is_completed(dataset, tmp_path, monkeypatch):
    root = tmp_path / 'data'
    replace, moves = os.replace, []

    def failing_replace(source, target):
        moves.append(target)
        if len(moves) == 8:  # in the middle of the second scene
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, 'replace', failing_replace)
    with pytest.raises(KeyboardInterrupt):
        generate(root, {'train': 3, 'val': 2}, SIZE, seed=5)
    monkeypatch.undo()
    assert not Path(moves[-1]).exists()
    assert generate(root, {'train': 3, 'val': 2}, SIZE, seed=5) == 4  # the first scene was whole
    assert contents(root) == contents(dataset)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'seed': 6}, r'already holds scenes of seed 5 \(wanted 6\)'),
        ({'size': (64, 130)}, r'size \[64, 128\] \(wanted \[64, 130\]\)'),
        ({'counts': {'train': 4}}, r"counts \{'train': 3, 'val': 2\} \(wanted \{'train': 4\}\)"),
    ],
)
def test_scenes_of_other_parameters_are_not_mixed(dataset, change, message):
    before = contents(dataset)
    with pytest.raises(InputError, match=message):
        generate(dataset, **({'counts': {'train': 3, 'val': 2}, 'size': SIZE, 'seed': 5} | change))
    assert contents(dataset) == before


def test_more_scenes_are_added_to_those_there(dataset, tmp_path):
    dataset = shutil.copytree(dataset, tmp_path / 'copy')
    before = contents(dataset)
    assert generate(dataset, {'train': 4, 'val': 2, 'test': 1}, SIZE, seed=5) == 2
    after = contents(dataset)
    record = next(name for name in before if str(name).endswith('synthetic.json'))
    assert all(after[name] == before[name] for name in before if name != record)
    assert json.loads((dataset / 'synthetic.json').read_text())['counts'] == {'train': 4, 'val': 2, 'test': 1}


def test_scenes_of_another_generator_version_are_not_mixed(dataset, monkeypatch):
    monkeypatch.setattr(synthetic, 'GENERATOR_VERSION', synthetic.GENERATOR_VERSION + 1)
    with pytest.raises(InputError, match='scenes of generator 1 '):
        generate(dataset, {'train': 3, 'val': 2}, SIZE, seed=5)


@pytest.mark.parametrize(
    ('record', 'message'), [('{"seed": ', 'parameters that cannot be read'), ('[1]', 'scenes of other parameters')]
)
def test_a_damaged_record_is_refused(tmp_path, record, message):
    (tmp_path / 'synthetic.json').write_text(record)
    with pytest.raises(InputError, match=message):
        generate(tmp_path, {'train': 1}, SIZE)


def test_a_directory_with_other_files_is_refused(tmp_path):
    (tmp_path / 'leftImg8bit').mkdir()
    with pytest.raises(InputError, match='is not empty and was not written by this generator'):
        generate(tmp_path, {'train': 1}, SIZE)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'counts': {'trainval': 1}}, "unknown split 'trainval': choose from train, val, test"),
        ({'counts': {'train': -1}}, 'number of train scenes must be a whole number of 0 or more, got -1'),
        ({'counts': {'val': 1.5}}, 'number of val scenes must be a whole number of 0 or more, got 1.5'),
        ({'counts': {'train': 0, 'val': 0}}, 'nothing to generate'),
        ({'counts': {}}, 'nothing to generate'),
        ({'size': (63, 128)}, r'at least 64 pixels, got \(63, 128\)'),
        ({'size': (128, -256)}, r'at least 64 pixels, got \(128, -256\)'),
        ({'size': (128,)}, 'size must be height and width'),
        ({'seed': -1}, 'seed must be a whole number of 0 or more, got -1'),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_written(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message) as refusal:
        generate(tmp_path / 'new', **({'counts': {'train': 1}, 'size': SIZE, 'seed': 0} | arguments))
    assert '\n' not in str(refusal.value)
    assert not (tmp_path / 'new').exists()


def test_a_root_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='cannot write scenes to .*file'):
        generate(tmp_path / 'file' / 'data', {'train': 1}, SIZE)

    def denied(*_):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(os, 'replace', denied)  # holds for the superuser too, unlike file modes
    with pytest.raises(InputError, match='cannot write scenes to .*: Permission denied'):
        generate(tmp_path / 'data', {'train': 1}, SIZE)


def test_the_record_names_the_parameters(dataset):
    assert json.loads((dataset / 'synthetic.json').read_text()) == {
        'generator': synthetic.GENERATOR_VERSION,
        'seed': 5,
        'size': list(SIZE),
        'counts': {'train': 3, 'val': 2},
    }
