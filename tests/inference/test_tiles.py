"""Tiles cover every pixel once, and none is used where it ends within the image."""

import numpy as np
import pytest
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.inference import tiles
from repvgg_seg.inference.tiles import TileSizes, tiles_of


@pytest.mark.parametrize('size', [(100, 100), (128, 128), (129, 300), (4000, 128), (1, 1000), (257, 255)])
def test_every_pixel_is_of_one_tile(size):
    covered, image = np.zeros(size, int), np.arange(size[0] * size[1]).reshape(size)
    for place, part, own in tiles_of(*size, 128):
        assert all(side <= 128 for side in image[place].shape)
        np.testing.assert_array_equal(image[place][own], image[part])
        covered[part] += 1
        for axis, (whole, used) in enumerate(zip(place, part, strict=True)):
            assert used.start == 0 or used.start - whole.start >= 8, (
                'the border of a tile, where it sees nothing beyond'
            )
            assert used.stop == size[axis] or whole.stop - used.stop >= 8
    assert (covered == 1).all()


@pytest.mark.slow  # torch's profiler takes its time to start
@pytest.mark.parametrize('most, side', [(2**40, None), (2**26, None), (2**24, 1056), (2**17, 'refused')])
def test_a_side_follows_from_the_memory_of_a_small_part(monkeypatch, most, side):
    """12 bytes a pixel and a quarter more: 2**24 bytes are 1057 pixels squared; the whole takes 60 MiB."""
    monkeypatch.setattr(tiles, 'spare_memory', lambda: None)
    sizes = TileSizes(lambda image: torch.zeros(3 * image.shape[-2] * image.shape[-1]), most)
    image = torch.zeros(3, 2048, 2048, dtype=torch.uint8)
    if side == 'refused':
        with pytest.raises(InputError, match='2048x2048 .*tiles of 128x128 neither: 0 MiB'):
            sizes.side_for(image)
    else:
        assert sizes.side_for(image) == side
