"""Label PNGs of a test, and pictures beside them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine import dist
from mmengine.structures import PixelData
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer
from PIL import Image

from repvgg_seg.errors import InputError
from repvgg_seg.evaluation import DrawPredictionsHook, PictureVisBackend, WriteLabelsHook

CITYSCAPES = dict(metainfo=dict(CityscapesDataset.METAINFO))


@pytest.fixture
def root(tmp_path):
    """Two folders with images of the same names: one with an EXIF orientation, one that is no image."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    for folder in ('one', 'two'):
        for name in ('a/000.png', 'b/000.png', 'b/x y.é.jpg'):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise).save(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise).save(tmp_path / 'one' / 'b' / 'x y.é.jpg', exif=exif)
    (tmp_path / 'two' / 'b' / 'x y.é.jpg').write_bytes(b'nine bands')
    return tmp_path


def dataset(kind, folder, **options):
    options = {'img_suffix': ('.png', '.jpg'), 'data_prefix': dict(img_path=str(folder)), **options}
    return dict(type=kind, **options)


def samples(runner):
    """A prediction of class 1 for every image, its first pixel of class 0."""
    labels = torch.ones(1, 8, 12, dtype=torch.int64)
    labels[0, 0, 0] = 0
    for part in runner.test_dataloader.dataset.datasets:
        for i in range(len(part)):
            sample = SegDataSample(metainfo=dict(img_path=part.get_data_info(i)['img_path']))
            sample.pred_sem_seg = PixelData(data=labels.clone())
            sample.seg_logits = PixelData(data=torch.zeros(2, 8, 12))
            yield sample


def runner_of(*datasets, pictures=None):
    """As much of a Runner as the hooks ask."""
    whole = DATASETS.build(dict(type='ConcatDataset', datasets=list(datasets), ignore_keys=['palette']))
    backends = [PictureVisBackend(str(pictures), pictures=str(pictures))] if pictures else None
    visualizer = SegLocalVisualizer(vis_backends=backends)
    visualizer.dataset_meta = whole.metainfo
    return SimpleNamespace(test_dataloader=SimpleNamespace(dataset=whole), visualizer=visualizer)


def run(hook, runner):
    hook.before_test(runner)
    for i, sample in enumerate(samples(runner)):
        hook.after_test_iter(runner, i, None, [sample])
    hook.after_test(runner)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


EXPECTED = [f'{folder}/{name}.png' for folder in ('one', 'two') for name in ('a/000', 'b/000', 'b/x y.é')]


def test_every_image_has_a_file_with_the_numbers_of_its_data_set(root, tmp_path):
    runner = runner_of(
        dataset('CityscapesDataset', root / 'one'), dataset('BaseSegDataset', root / 'two', **CITYSCAPES)
    )
    run(WriteLabelsHook(str(tmp_path / 'out')), runner)
    assert files(tmp_path / 'out') == EXPECTED
    for name in EXPECTED:
        label = np.array(Image.open(tmp_path / 'out' / name))
        assert label.shape == (8, 12)
        # road and sidewalk are 7 and 8 among the official ids, 0 and 1 among the classes
        assert (label[0, 0], label[7, 11]) == ((7, 8) if name.startswith('one') else (0, 1))


@pytest.mark.slow
def test_an_image_of_two_data_sets_that_want_different_numbers(root, tmp_path):
    both = dataset('CityscapesDataset', root / 'one'), dataset('BaseSegDataset', root / 'one', **CITYSCAPES)
    with pytest.raises(InputError, match='000.png stands in two data sets'):
        WriteLabelsHook(str(tmp_path / 'out')).before_test(runner_of(*both))
    WriteLabelsHook(str(tmp_path / 'out'), official=False).before_test(runner_of(*both))
    WriteLabelsHook(str(tmp_path / 'out')).before_test(runner_of(both[0], both[0]))


def test_what_cannot_be_written_is_one_line(root, tmp_path):
    runner = runner_of(dataset('CityscapesDataset', root / 'one'))
    hook = WriteLabelsHook(str(tmp_path / 'out'))
    (tmp_path / 'out').write_text('a file')
    with pytest.raises(InputError, match='cannot write .*000.png'):
        run(hook, runner)
    with pytest.raises(InputError, match='img_path in the meta_keys'):
        hook.after_test_iter(runner, 0, None, [SegDataSample()])


def test_every_image_has_a_picture(root, tmp_path):
    """Drawn in the size of its prediction, also where OpenCV turns the image by its EXIF orientation or cannot read it."""
    out = tmp_path / 'pictures'
    runner = runner_of(*(dataset('BaseSegDataset', root / f, **CITYSCAPES) for f in ('one', 'two')), pictures=out)
    run(DrawPredictionsHook(str(out)), runner)
    assert files(out) == EXPECTED
    assert {Image.open(out / name).size for name in EXPECTED} == {(12, 8)}

    before = (out / EXPECTED[0]).read_bytes()
    with pytest.raises(InputError, match='000.png exists'):
        run(DrawPredictionsHook(str(out)), runner)
    assert (out / EXPECTED[0]).read_bytes() == before


def test_other_processes_leave_their_pictures_to_the_main_one(root, tmp_path, monkeypatch):
    out = tmp_path / 'pictures'
    runner = runner_of(*(dataset('BaseSegDataset', root / f, **CITYSCAPES) for f in ('one', 'two')), pictures=out)
    first, second = DrawPredictionsHook(str(out)), DrawPredictionsHook(str(out))
    (out / '.waiting').mkdir(parents=True)
    (out / '.waiting' / '0_1').write_bytes(b'what somebody else left, which is not unpickled')
    first.before_test(runner), second.before_test(runner)
    second._waiting = first._waiting  # which is broadcast
    for i, sample in enumerate(samples(runner)):
        with monkeypatch.context() as other:
            if i % 2:
                other.setattr(dist, 'is_main_process', lambda: False)
                other.setattr(dist, 'get_rank', lambda: 1)
            (second if i % 2 else first).after_test_iter(runner, i, None, [sample])
    assert len(list((out / first._waiting).iterdir())) == 3
    first.after_test(runner)
    assert not (out / first._waiting).exists()
    shutil.rmtree(out / '.waiting')
    assert files(out) == EXPECTED


def test_on_the_screen(root, monkeypatch):
    runner = runner_of(dataset('BaseSegDataset', root / 'one', **CITYSCAPES))
    shown = []
    monkeypatch.setattr(
        runner.visualizer, 'show', lambda picture, win_name, wait_time: shown.append((win_name, wait_time))
    )
    run(DrawPredictionsHook(show=True, wait_time=0.5), runner)
    assert shown == [('a/000', 0.5), ('b/000', 0.5), ('b/x y.é', 0.5)]
