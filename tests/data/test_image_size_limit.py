"""The limit of pixels, for pictures and labels by every decoder, and PNGs whose chunks are longer than the file."""

import struct
import zlib

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from repvgg_seg.data.checked_pipeline import CheckedPipeline, Checks
from repvgg_seg.data.image_size_limit import MOST_PIXELS, VARIABLE, fault_of_header
from repvgg_seg.data.read_image import read_image
from repvgg_seg.errors import InputError


def png(height, width):
    """A picture that claims a size, without its pixels."""
    parts = [
        (b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)),
        (b'IDAT', zlib.compress(b'')),
        (b'IEND', b''),
    ]
    chunks = [struct.pack('>I', len(d)) + kind + d + struct.pack('>I', zlib.crc32(kind + d)) for kind, d in parts]
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks)


def test_the_limit_is_that_of_pillow():
    assert MOST_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('key', ['img_path', 'seg_map_path'])
def test_a_bomb_is_refused_by_every_loader(tmp_path, key, backend):
    Image.new('L', (8, 8)).save(tmp_path / 'small.png')
    (tmp_path / 'bomb.png').write_bytes(png(60_000, 60_000))
    item = dict(img_path=str(tmp_path / 'small.png'), seg_map_path=str(tmp_path / 'small.png'), seg_fields=[])
    steps = [LoadImageFromFile(imdecode_backend=backend), LoadAnnotations(imdecode_backend=backend)]
    pipeline = CheckedPipeline(steps, Checks())
    assert pipeline(dict(item, reduce_zero_label=False))['img'].shape == (8, 8, 3)
    with pytest.raises(
        InputError, match=rf'bomb.png claims 3,600,000,000 pixels .*178,956,970 .*{VARIABLE}=3600000000'
    ):
        pipeline(dict(item, reduce_zero_label=False) | {key: str(tmp_path / 'bomb.png')})


def test_the_limit_can_be_moved(tmp_path, monkeypatch):
    Image.new('L', (10, 10)).save(tmp_path / 'a.png')
    (tmp_path / 'large.png').write_bytes(png(13_378, 13_378))  # 178,970,884 pixels
    assert fault_of_header(tmp_path / 'a.png') == '' and fault_of_header(tmp_path / 'large.png')
    monkeypatch.setenv(VARIABLE, '178970884')
    assert fault_of_header(tmp_path / 'large.png') == ''
    monkeypatch.setenv(VARIABLE, '99')
    assert 'claims 100 pixels' in fault_of_header(tmp_path / 'a.png')


def test_a_chunk_that_is_longer_than_the_file(tmp_path):
    content = png(8, 8)
    at = content.index(b'IDAT') - 4
    (tmp_path / 'a.png').write_bytes(content[:at] + b'\x60\0\0\0' + content[at + 4 :])
    with pytest.raises(InputError, match='longer than the rest'):
        read_image(tmp_path / 'a.png')


def test_an_array_that_claims_more_than_it_holds(tmp_path):
    with open(tmp_path / 'a.npy', 'wb') as file:
        np.lib.format.write_array_header_1_0(file, dict(descr='|u1', fortran_order=False, shape=(100_000, 100_000, 3)))
    with pytest.raises(InputError, match='claims 10,000,000,000 pixels'):
        read_image(tmp_path / 'a.npy', channels=3)


def test_what_is_no_image_is_left_to_its_loader(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'text')
    assert (
        fault_of_header(tmp_path / 'a.png') == fault_of_header(tmp_path / 'none.png') == fault_of_header(tmp_path) == ''
    )
