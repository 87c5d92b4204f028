"""Counts against those made by hand. tests/benchmark compares whole networks with the paper."""

import pytest
import torch
from torch import nn

from repvgg_seg.measure.flops import count


@pytest.mark.parametrize('inference_mode', [False, True])
@pytest.mark.parametrize('device', ['meta', 'cpu'])
def test_count_by_hand(device, inference_mode):
    """On 8x8: 3x3 at stride 1, 4 of 9 multiplications; at stride 2 and with dilation all; 1x1; linear.

    In inference mode a conv reaches the counter before torch has taken it apart.
    """
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, stride=2, bias=False),
        nn.Conv2d(4, 2, 1, bias=False),
        nn.Flatten(),
        nn.Linear(32, 5, bias=False),
    ).to(device)
    with torch.inference_mode(inference_mode):
        counted = count(model, torch.empty(3, 2, 8, 8, device=device))
    plain = 3 * (64 * 9 * 4 * 2 + 16 * 9 * 4 * 4 + 16 * 2 * 4 + 32 * 5)
    assert counted.params == 72 + 72 + 144 + 8 + 160
    assert counted.flops == 3 * 64 * 9 * 4 * 2 + plain
    assert counted.wino_muls == 3 * 64 * 4 * 4 * 2 + plain


def test_transposed_convs_and_biases():
    """A transposed 3x3 conv works on each of its 16 inputs and has no Winograd; biases are not counted."""
    model = nn.Sequential(nn.ConvTranspose2d(2, 5, 3, stride=1, padding=1), nn.Conv2d(5, 1, 1)).to('meta')
    counted = count(model, torch.empty(1, 2, 4, 4, device='meta'))
    assert counted.params == 90 + 5 + 5 + 1
    assert counted.flops == counted.wino_muls == 16 * 9 * 2 * 5 + 16 * 5


def test_products_of_matrices_count():
    class Product(nn.Module):
        def forward(self, x):
            return torch.baddbmm(x, x, x)

    assert count(Product(), torch.empty(2, 5, 5, device='meta')).flops == 2 * 5**3
