"""Videos are read to their end, and written with their rate and size."""

import struct

import numpy as np
import pytest
from videos import read, write

from repvgg_seg.errors import InputError
from repvgg_seg.inference.inputs import Source
from repvgg_seg.inference.video import VideoReader, VideoWriter


@pytest.mark.parametrize('name', ['v.mp4', 'ein blick 道路.mp4', 'v.avi'])
def test_frames_rate_and_number(tmp_path, name, said):
    reader, frames = read(write(tmp_path / name, rate=12.5, code='MJPG' if name.endswith('avi') else 'mp4v'))
    assert (reader.expected, reader.fault, said) == (10, '', [])
    assert reader.rate == (12.5 if name.endswith('mp4') else 12)  # OpenCV's own writer takes whole rates
    assert [round(frame.mean() / 10) for frame in frames] == list(range(10))


@pytest.mark.parametrize(
    'size, rate, ending, written',
    [
        ((48, 64), 29.97, '.mp4', 29.97),
        ((47, 63), 30.0, '.avi', 30),
        ((47, 63), 29.97, '.avi', 30),
        ((1, 1), 0.4, '.avi', 1),
        ((2, 2), 10, '.mp4', 10),
    ],
)
def test_what_is_written_has_the_size_and_rate(tmp_path, size, rate, ending, written, said):
    writer = VideoWriter(tmp_path / 'a.b', rate, size)
    for i in range(5):
        writer.write(np.full((*size, 3), 50 * i, np.uint8))
    assert not (tmp_path / f'a.b{ending}').exists(), 'it has its name when it is whole'
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == [f'a.b{ending}']
    reader, frames = read(tmp_path / f'a.b{ending}')
    assert reader.rate == pytest.approx(written) and len(said) == (rate != written)
    assert len(frames) == 5 and frames[0].shape == (*size, 3)


def test_colours_are_rgb_and_a_change_of_size_is_brought_back(tmp_path):
    writer = VideoWriter(tmp_path / 'a', 10, (32, 48))
    for size in ((32, 48), (64, 96)):
        writer.write(np.full((*size, 3), (250, 0, 0), np.uint8))
    writer.close()
    _, frames = read(tmp_path / 'a.mp4')
    assert len(frames) == 2
    for frame in frames:
        np.testing.assert_allclose(frame.mean((0, 1)), (0, 0, 250), atol=12)  # BGR


def test_what_is_discarded_leaves_nothing(tmp_path):
    writer = VideoWriter(tmp_path / 'a', 10, (32, 48))
    writer.write(np.zeros((32, 48, 3), np.uint8))
    writer.discard()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['cut.avi', 'cut.mkv'])
def test_a_video_that_breaks_off(tmp_path, name):
    whole = tmp_path / f'whole{name[3:]}'
    write(whole, frames=40, code='MJPG' if name.endswith('avi') else 'mp4v')
    content = whole.read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    reader, frames = read(tmp_path / name)
    assert 0 < len(frames) < 35 and reader.fault == f'the video breaks off: {len(frames)} of 40 frames can be read'


@pytest.mark.parametrize(
    'name, content, error',
    [
        ('none.mp4', None, 'no such file'),
        ('empty.mp4', b'', r'empty \(0 bytes\)'),
        ('text.mp4', b'no video', 'neither an image nor a video'),
        ('page.mp4', b'<!doctype html>', 'a web page'),
        ('folder.mp4', 'folder', 'is a folder'),
        ('cut.mp4', 'cut', 'neither an image nor a video'),  # what the frames are stands at its end
        ('no_frames.mp4', 'no frames', 'no_frames.mp4'),
    ],
)
def test_files_that_are_no_videos(tmp_path, name, content, error):
    path = tmp_path / name
    if content == 'folder':
        path.mkdir()
    elif content in ('cut', 'no frames'):
        write(path, frames=0 if content == 'no frames' else 10)
        if content == 'cut':
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=error):
        read(path)


def test_no_camera():
    with pytest.raises(InputError, match='no camera 97 can be opened here'):
        VideoReader(Source('camera', '97', '.'))


def test_a_changing_frame_rate_is_told(tmp_path, said):
    """The second half of the frames takes a quarter of the time, as the table of times (`stts`) of the file says."""
    path = tmp_path / 'v.mp4'
    write(path, frames=40)
    content = path.read_bytes()
    at = content.index(b'stts') - 4
    size, _, _, entries, count, delta = struct.unpack('>I4sIIII', content[at : at + 24])
    assert (size, entries, count) == (24, 1, 40)
    table = struct.pack('>I4sIIIIII', 32, b'stts', 0, 2, 20, delta, 20, delta // 4)
    content = content[:at] + table + content[at + 24 :]
    for box in (b'moov', b'trak', b'mdia', b'minf', b'stbl'):
        start = content.rindex(box, 0, at) - 4
        (length,) = struct.unpack('>I', content[start : start + 4])
        content = content[:start] + struct.pack('>I', length + 8) + content[start + 4 :]
    path.write_bytes(content)
    reader, frames = read(path)
    assert len(frames) == 40 and not reader.fault
    assert len(said) == 1 and 'has no constant frame rate' in said[0]
