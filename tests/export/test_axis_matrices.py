import pytest
import torch
import torch.nn.functional as F

from repvgg_seg.export.axis_matrices import averages, cells_of, phases, up_sampling

BINS = (1, 2, 3, 6)


def test_cells_of_all_levels():
    cells, numbers = cells_of((1, 3))
    assert cells.tolist() == [0, 0, 1, 2] and numbers.tolist() == [1, 3, 3, 3]


@pytest.mark.parametrize('length', [1, 2, 5, 6, 7, 13])
def test_averages_are_those_of_torch(length):
    pixels = torch.eye(length, dtype=torch.double)[None]
    expected = torch.cat([F.adaptive_avg_pool1d(pixels, number)[0].t() for number in BINS])
    torch.testing.assert_close(averages(*cells_of(BINS), length, torch.double), expected)


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('length', [1, 2, 5, 6, 7, 13])
def test_up_sampling_is_that_of_torch(length, align_corners):
    """A tap of a 3x3 conv sees the pixel before, the pixel itself or the one behind, and zeros beyond the border."""
    levels = []
    for number in BINS:
        cells = torch.eye(number, dtype=torch.double)[None]
        levels.append(F.interpolate(cells, size=length, mode='linear', align_corners=align_corners)[0].t())
    padded = F.pad(torch.cat(levels, 1), (0, 0, 1, 1))
    expected = torch.cat([padded[tap : tap + length] for tap in range(3)], 1)
    torch.testing.assert_close(up_sampling(*cells_of(BINS), length, align_corners, torch.double), expected)


def test_phases_on_paper():
    """Columns 0 to 4 at dilation 2 are the phases 0 2 4 and 1 3, with a gutter between them."""
    canvas = phases(2, 5, torch.float) @ torch.arange(1.0, 6.0)
    assert canvas.tolist() == [1, 3, 5, 0, 2, 4]
    assert (phases(4, 3, torch.float) @ torch.arange(1.0, 4.0)).tolist() == [1, 0, 2, 0, 3, 0]
