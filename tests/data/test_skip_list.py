"""The list of images that a data set leaves out."""

import pytest
from seg_data import build, write_data

from repvgg_seg.data.skip_list import read_skip_list, write_skip_list
from repvgg_seg.errors import InputError


def test_what_is_written_is_read(tmp_path):
    names = ['a b.png', 'x\ty\nz.png', 'é/\udcff.png', '#1.png', '../outside.png']
    images = {str(tmp_path / name): 'two\nlines' for name in names}
    write_skip_list(str(tmp_path / 'bad.txt'), images, str(tmp_path))
    content = (tmp_path / 'bad.txt').read_bytes()
    assert b'a b.png\ttwo lines\n' in content and content.count(b'\n') == 5 and content.count(bytes(tmp_path)) == 0
    assert {str((tmp_path / name).resolve()) for name in names} <= read_skip_list(
        str(tmp_path / 'bad.txt'), str(tmp_path)
    )


def test_a_list_in_use_keeps_its_lines(tmp_path):
    path = str(tmp_path / 'bad.txt')
    write_skip_list(path, {'/one.png': 'x'}, '')
    write_skip_list(path, {'/two.png': 'y'}, '', [None, path])
    assert (tmp_path / 'bad.txt').read_text() == '/one.png\tx\n/two.png\ty\n'
    write_skip_list(path, {'/three.png': 'z'}, '', [None])
    assert (tmp_path / 'bad.txt').read_text() == '/three.png\tz\n'


@pytest.mark.parametrize(
    'text', ['images/train/b.png\n', 'images/train/b.png\tbroken\r\n\r\n', '\ufeffimages/train/b.png']
)
def test_a_data_set_leaves_them_out(tmp_path, text):
    write_data(tmp_path)
    (tmp_path / 'skip.txt').write_bytes(text.encode())
    for name in ('skip.txt', str(tmp_path / 'skip.txt')):
        dataset = build(tmp_path, 'CheckedSegDataset', skip_list=name)
        assert [dataset.get_data_info(i)['img_path'][-5:] for i in range(len(dataset))] == ['a.png', 'c.png']
        assert dataset.left_out == [f'1 images of {name}']
    with pytest.raises(InputError, match=r'no such file: none.txt \(skip_list\)'):
        build(tmp_path, 'CheckedSegDataset', skip_list='none.txt')
