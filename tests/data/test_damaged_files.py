"""What is said about files that cannot be read."""

import io

import numpy as np
import pytest
from PIL import Image

from repvgg_seg.data.damaged_files import fault_at_a_glance, fault_of

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 48, 3), dtype=np.uint8))


def encoded(kind):
    buffer = io.BytesIO()
    PICTURE.save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize('suffix, kind', [('.png', 'PNG'), ('.jpg', 'JPEG')])
@pytest.mark.parametrize(
    'change, said',
    [
        (lambda whole: b'', 'the file is empty'),
        (lambda whole: whole[: len(whole) // 2], 'truncated'),
        (lambda whole: whole[:-40], 'truncated'),
        (lambda whole: b'some text', 'damaged or not an image'),
        (lambda whole: b'version https://git-lfs.github.com/spec/v1\noid 1', 'git lfs pull'),
        (lambda whole: b'<!DOCTYPE html><html>', 'it is a web page'),
        (lambda whole: whole, ''),
        (lambda whole: whole + bytes(100), ''),  # padding
        (lambda whole: whole + b'the film of a camera' * 99, ''),
    ],
)
def test_a_look_at_an_image(tmp_path, suffix, kind, change, said):
    path = tmp_path / f'x{suffix}'
    path.write_bytes(change(encoded(kind)))
    fault = fault_at_a_glance(str(path))
    assert said in fault and (str(path) in fault) is bool(said)


def test_other_formats_and_addresses_are_not_judged(tmp_path):
    (tmp_path / 'x.npy').write_bytes(b'anything')
    (tmp_path / 'webp.jpg').write_bytes(encoded('WEBP'))
    for path in (tmp_path / 'x.npy', tmp_path / 'webp.jpg', 's3://bucket/x.png'):
        assert fault_at_a_glance(str(path)) == ''
    assert fault_of('s3://bucket/x.png') == ''


def test_what_the_system_says(tmp_path):
    assert fault_of(str(tmp_path / 'none.png')) == f'no such file: {tmp_path / "none.png"}'
    assert 'is a folder' in fault_of(str(tmp_path))
