"""Runs of predictions: what is written, and what is passed over."""

import json
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from videos import read, write

from repvgg_seg.errors import InputError
from repvgg_seg.inference.inputs import Source, find_sources
from repvgg_seg.inference.outputs import Outputs, VideoOutputs
from repvgg_seg.inference.predict_sources import SourcePredictor, number_of_images
from repvgg_seg.inference.progress import PredictionProgress


def predict(segmentor, words, out, kinds=None, batch_size=1, frames=None, ids='train'):
    sources = find_sources(words, str(out))
    outputs = Outputs(Path(out), sources, kinds, segmentor.classes, ids)
    with PredictionProgress(number_of_images(sources, frames)) as progress:
        predictor = SourcePredictor(segmentor, outputs, progress, batch_size, frames)
        predictor.predict(sources)
    return predictor.report, {str(path.relative_to(out)) for path in Path(out).rglob('*') if path.is_file()}


@pytest.fixture
def place(tmp_path, monkeypatch, picture):
    """Pictures of two sizes, and broken ones between them."""
    monkeypatch.chdir(tmp_path)
    Path('in/sub').mkdir(parents=True)
    for name, image in (
        *(('a.png', picture), ('b.png', picture[::-1]), ('ein blick, 道路.png', picture), ('sub/a.png', picture[:40])),
        *(('z.jpg', picture), ('z.png', picture)),
    ):
        Image.fromarray(image).save(f'in/{name}')
    content = Path('in/z.jpg').read_bytes()
    Path('in/cut.jpg').write_bytes(content[: len(content) // 2])
    Path('in/empty.png').touch()
    Path('in/text.webp').write_text('no image')
    Path('in/gone.png').symlink_to('nowhere')
    return tmp_path


@pytest.mark.parametrize('batch_size', [1, 3])
def test_broken_files_are_passed_over(segmentor, place, batch_size):
    report, files = predict(segmentor, ['in'], 'out', batch_size=batch_size)
    names = ['a', 'b', 'ein blick, 道路', 'z.jpg', 'z.png', 'sub/a']
    kinds = dict(overlay='jpg', colours='png', labels='png')
    assert files == {f'{kind}/{name}.{ending}' for kind, ending in kinds.items() for name in names}
    assert [entry['name'] for entry in report.predicted] == names and report.images == 6
    assert {name: reason.split(':')[0] for name, reason in report.broken} == {
        'in/cut.jpg': 'cannot decode in/cut.jpg',
        'in/empty.png': 'cannot decode in/empty.png',
        'in/gone.png': 'no such file',
        'in/text.webp': 'cannot decode in/text.webp',
    }
    expected = segmentor.predict('in/b.png')
    np.testing.assert_array_equal(np.array(Image.open('out/labels/b.png')), expected.labels)
    np.testing.assert_array_equal(np.array(Image.open('out/colours/b.png')), np.array(expected.colour_map()))
    assert (
        Image.open('out/overlay/b.png.jpg' if (place / 'out/overlay/b.png.jpg').exists() else 'out/overlay/b.jpg').width
        == 240
    )
    assert report.predicted[1]['shares'] == expected.shares


def test_an_image_that_the_network_cannot_compute_is_passed_over(segmentor, place, monkeypatch):
    step = segmentor.model.test_step

    def test_step(data):
        if any(inputs.shape[1] == 40 for inputs in data['inputs']):
            raise RuntimeError('Kernel size\ncan not be greater than the input')
        if len(data['inputs']) > 2:
            raise MemoryError
        return step(data)

    monkeypatch.setattr(segmentor.model, 'test_step', test_step)
    report, files = predict(segmentor, ['in'], 'out', kinds=['labels'], batch_size=3)
    assert len(files) == 5 and 'labels/sub/a.png' not in files
    (reason,) = (reason for name, reason in report.broken if name == 'in/sub/a.png')
    assert reason.startswith('the network cannot compute an image of 40x96') and '\n' not in reason


@pytest.mark.parametrize('kinds', [None, ['overlay', 'colours', 'labels']])
def test_a_video_becomes_a_video(segmentor, place, kinds):
    write('in/v.mp4', frames=7, size=(48, 64), rate=12.5)
    report, files = predict(segmentor, ['in/v.mp4'], 'out', kinds, batch_size=2)
    labels = {f'labels/v/{i:06}.png' for i in range(7)} | {'colours/v.mp4'} if kinds else set()
    assert files == {'overlay/v.mp4'} | labels
    reader, frames = read('out/overlay/v.mp4')
    assert (reader.rate, len(frames), frames[0].shape) == (12.5, 7, (48, 64, 3))
    (entry,) = report.predicted
    assert entry['frames'] == report.images == 7 and sum(entry['shares'].values()) == pytest.approx(1)
    if kinds:
        _, given = read('in/v.mp4')
        expected = segmentor.predict(given[5]).labels
        np.testing.assert_array_equal(np.array(Image.open('out/labels/v/000005.png')), expected)


def test_what_comes_before_the_break_of_a_video_is_written(segmentor, place):
    content = Path(write('whole.avi', frames=20, code='MJPG')).read_bytes()
    Path('in/v.avi').write_bytes(content[: len(content) // 2])
    Path('in/w.mp4').write_bytes(b'no video')
    report, files = predict(segmentor, ['in/v.avi', 'in/w.mp4', 'in/a.png'], 'out', ['overlay'])
    assert files == {'overlay/v.mp4', 'overlay/a.jpg'}
    assert len(read('out/overlay/v.mp4')[1]) == report.images - 1 < 15
    assert [name for name, _ in report.broken] == ['in/v.avi', 'in/w.mp4']


def test_a_camera_ends_after_its_frames(segmentor, place, monkeypatch):
    class Camera:
        def __init__(self, source):
            assert source == 0

        def isOpened(self):
            return True

        def get(self, what):
            return {cv2.CAP_PROP_FPS: 0.0, cv2.CAP_PROP_FRAME_COUNT: -1.0}.get(what, 0.0)

        def read(self):
            return True, np.zeros((32, 32, 3), np.uint8)

        def release(self):
            pass

    with monkeypatch.context() as patch:
        patch.setattr(cv2, 'VideoCapture', Camera)
        report, files = predict(segmentor, ['0'], 'out', frames=3)
        assert number_of_images([Source('camera', '0', '.')]) is None
    assert files == {'overlay/camera_0.mp4'} and report.images == 3
    assert len(read('out/overlay/camera_0.mp4')[1]) == 3


def test_ctrl_c_leaves_whole_files(segmentor, place, monkeypatch):
    write('in/v.mp4', frames=7)
    images = iter(range(4))
    step = segmentor.model.test_step

    def test_step(data):
        if next(images, None) is None:
            raise KeyboardInterrupt
        return step(data)

    monkeypatch.setattr(segmentor.model, 'test_step', test_step)
    with pytest.raises(KeyboardInterrupt):
        predict(segmentor, ['in/a.png', 'in/v.mp4'], 'out')
    assert len(read('out/overlay/v.mp4')[1]) == 3 and Image.open('out/labels/a.png').size == (96, 64)
    assert not list(Path('out').rglob('.*'))


class Stopped(BaseException):
    """What the handler of a signal raises."""


@pytest.fixture(params=['SIGINT', 'SIGTERM'])
def number(request):
    """A signal whose handler raises `Stopped`."""

    def stop(number, frame):
        raise Stopped

    number = signal.Signals[request.param]
    before = signal.signal(number, stop)
    yield number
    assert signal.getsignal(number) is stop
    signal.signal(number, before)


@pytest.mark.parametrize(
    'owner, method, frames',
    [(Outputs, 'write_image', 0), (Outputs, 'open_video', 1), (VideoOutputs, 'write', 1), (VideoOutputs, 'close', 7)],
)
def test_what_is_written_when_a_signal_comes_is_counted(segmentor, place, monkeypatch, number, owner, method, frames):
    write('in/v.mp4', frames=7)
    step = getattr(owner, method)

    def step_and_signal(*args):
        result = step(*args)
        signal.raise_signal(number)
        return result

    monkeypatch.setattr(owner, method, step_and_signal)
    sources = find_sources(['in/a.png', 'in/v.mp4'], 'out')
    outputs = Outputs(Path('out'), sources, ['overlay'], segmentor.classes)
    predictor = SourcePredictor(segmentor, outputs, PredictionProgress(8))
    with pytest.raises(Stopped):
        predictor.predict(sources)
    written = len(read('out/overlay/v.mp4')[1]) if Path('out/overlay/v.mp4').exists() else 0
    assert written == frames == predictor.report.images - 1
    image, *video = predictor.report.predicted
    assert image['name'] == 'a' and [entry['frames'] for entry in video] == [frames] * bool(frames)
    assert Path('out/overlay/a.jpg').is_file() and not list(Path('out').rglob('.*'))


@pytest.mark.parametrize(
    'existing, out, error',
    [
        ('out/labels/a.png', 'out', 'out/labels/a.png exists: name a new --out-dir, or say --overwrite'),
        ('out/predictions.json', 'out', 'exists'),
        ('in/labels/a.png', 'in', 'in/labels/a.png is an input'),
    ],
)
def test_nothing_is_overwritten(segmentor, place, existing, out, error):
    path = Path(existing)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'x')
    sources = find_sources(['in/a.png', existing] if 'input' in error else ['in/a.png'], '.')
    with pytest.raises(InputError, match=error):
        Outputs(Path(out), sources, None, segmentor.classes)
    if 'input' not in error:
        Outputs(Path(out), sources, None, segmentor.classes, overwrite=True)
    assert path.read_bytes() == b'x'


def test_a_link_out_of_the_folder_is_not_followed(segmentor, place):
    (place / 'elsewhere').mkdir()
    (place / 'out').mkdir()
    (place / 'out/labels').symlink_to(place / 'elsewhere')
    with pytest.raises(InputError, match='leads out of out'):
        predict(segmentor, ['in/a.png'], 'out', ['labels'])
    assert not list((place / 'elsewhere').iterdir())


def test_official_ids(place, network):
    from repvgg_seg.inference import Segmentor

    segmentor = Segmentor(*network, device='cpu')
    with pytest.raises(InputError, match='the network has other classes'):
        predict(segmentor, ['in/a.png'], 'out', ['labels'], ids='official')
    segmentor.classes = ('road', 'sidewalk', 'building', *['car'] * 16)
    predict(segmentor, ['in/a.png'], 'out', ['labels'], ids='official')
    labels = segmentor.predict('in/a.png').labels
    official = np.array([7, 8, 11, *[26] * 16])  # of labels.py of Cityscapes
    np.testing.assert_array_equal(np.array(Image.open('out/labels/a.png')), official[labels])


def test_the_record_is_written_whole(segmentor, place):
    outputs = Outputs(Path('out'), find_sources(['in/a.png'], '.'), None, segmentor.classes)
    Path('out').mkdir()
    outputs.write_record(dict(names='道'))
    assert json.loads(Path('out/predictions.json').read_text()) == dict(names='道')
