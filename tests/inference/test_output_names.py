"""Names of what is written: no two are alike, and none leads out of its folder."""

import pytest

from repvgg_seg.inference.inputs import Source
from repvgg_seg.inference.output_names import output_names


def image(path, root=None):
    return Source(
        'video' if path.endswith('.mp4') else 'image', path, path.rpartition('/')[0] if root is None else root
    )


@pytest.mark.parametrize(
    'sources, names',
    [
        ([image('/d/a.jpg')], ['a']),
        ([image('/d/a.jpg'), image('/d/a.png')], ['a.jpg', 'a.png']),
        ([image('/d/a.jpg'), image('/d/a.png'), image('/d/a.jpg.png')], ['a.jpg', 'a.png', 'a.jpg.png']),
        ([image('/d/x/a.jpg'), image('/d/y/a.jpg')], ['x/a', 'y/a']),
        ([image('/d/x/a.jpg', '/d'), image('/d/b.jpg', '/d')], ['x/a', 'b']),
        ([image('/p/a.jpg'), image('/q/a.jpg')], ['p/a', 'q/a']),
        ([image('/d/a.mp4'), image('/d/a.jpg')], ['a.mp4', 'a.jpg']),
        # The labels of a video are a folder of its name, and so is the folder of other images.
        ([image('/d/a/0.jpg', '/d'), image('/d/a.mp4', '/d')], ['a/0', 'a_2']),
        # A folder with the name of a file that is written.
        ([image('/d/a.jpg/x.png', '/d'), image('/d/a.webp', '/d')], ['a.jpg/x', 'a_2']),
        (
            [image('/s/standard_input', '/s'), image('/s/standard_input.jpg', '/s')],
            ['standard_input', 'standard_input.jpg'],
        ),
        (
            [
                Source('camera', '0', '.'),
                Source('camera', '/dev/video0', '.'),
                Source('camera', 'rtsp://me:secret@host:554/a', '.'),
            ],
            ['camera_0', 'camera_video0', 'camera_host_554_a'],
        ),
        ([image('/d/ein blick, grüße 道路.jpg')], ['ein blick, grüße 道路']),
    ],
)
def test_names(sources, names):
    assert [str(name) for name in output_names(sources).values()] == names


def test_what_is_piped_in_is_not_named_by_its_folder():
    names = output_names([Source('image', '/tmp/xyz/standard_input', '/tmp/xyz', piped=True), image('/d/a.jpg')])
    assert [str(name) for name in names.values()] == ['standard_input', 'a']


def test_long_names_are_cut_and_differ():
    long = [image(f'/d/{"路" * 80}{end}.jpg') for end in 'ab']
    names = [str(name) for name in output_names(long).values()]
    assert names[0] != names[1] and all(len(name.encode()) <= 200 and name.startswith('路' * 60) for name in names)
