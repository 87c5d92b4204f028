import pytest
import torch

from repvgg_seg.optimize.phase_images import LAYOUTS, BatchPhases, GutterPhases


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('size', [(8, 8), (9, 6), (3, 1)])
def test_phases_come_back(layout, size):
    x = torch.randn(2, 3, *size)
    phases = LAYOUTS[layout](4, size)
    assert torch.equal(phases.leave(phases.enter(x)), x)


def test_phases_on_paper():
    """Columns 0..4 at dilation 2 are the phases 0 2 4 and 1 3."""
    x = torch.arange(1.0, 6.0).reshape(1, 1, 1, 5)
    gutter = GutterPhases(2, (1, 5))
    canvas = gutter.enter(x)
    gutter.clear(canvas)
    assert canvas.shape == (1, 1, 2, 6)  # the second row phase is empty: its gutter alone is left
    assert canvas[0, 0, 0].tolist() == [1, 3, 5, 0, 2, 4]
    batch = BatchPhases(2, (1, 5))
    stack = batch.enter(x)
    batch.clear(stack)
    assert stack.shape == (4, 1, 1, 3)
    assert stack[:, 0, 0].tolist() == [[1, 3, 5], [2, 4, 0], [0, 0, 0], [0, 0, 0]]
