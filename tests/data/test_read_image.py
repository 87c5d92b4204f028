"""Images, whatever their names."""

import cv2
import numpy as np
import pytest

from repvgg_seg.data.read_image import read_image
from repvgg_seg.errors import InputError


def test_as_bgr_by_any_name(tmp_path, monkeypatch):
    """OpenCV on Windows opens no such path, so that it is not asked to."""
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    path = tmp_path / 'ö 图 x.png'
    path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    monkeypatch.setattr(cv2, 'imread', lambda *_: None)
    assert np.array_equal(read_image(path), image)


@pytest.mark.parametrize('content, said', [(None, 'No such file'), (b'', 'not an image'), (b'text', 'not an image')])
def test_what_is_no_image(tmp_path, content, said):
    if content is not None:
        (tmp_path / 'x.png').write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_image(tmp_path / 'x.png')
