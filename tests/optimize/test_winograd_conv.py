import copy
import pickle

import pytest
import torch
from helpers import relative_error
from torch import nn

from repvgg_seg.optimize import winograd_conv
from repvgg_seg.optimize.winograd_conv import WinogradConv


@pytest.mark.parametrize('workspace', [2**25, 2**14])
@pytest.mark.parametrize('groups, dilation', [(1, 1), (2, 1), (1, 2), (2, 4)])
@pytest.mark.parametrize('size', [(8, 8), (13, 7), (3, 2), (1, 1), (23, 19), (41, 38)])
@torch.inference_mode()
def test_winograd_equals_the_conv(size, groups, dilation, workspace, monkeypatch):
    monkeypatch.setattr(winograd_conv, 'WORKSPACE', workspace)
    conv = nn.Conv2d(32, 48, 3, padding=dilation, dilation=dilation, groups=groups)
    x = torch.randn(2, 32, *size)
    expected = copy.deepcopy(conv).double()(x.double())
    found = WinogradConv(conv)
    for twin in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert relative_error(twin(x), expected) < 4e-6


def test_winograd_matrices_compute_a_convolution():
    """Four outputs of (1, 2, 3) over 1, 0, 0, 2, 0, 1, slid by hand."""
    out_side, kernel_side, in_side = winograd_conv._matrices()
    inputs, kernel = torch.tensor([1.0, 0, 0, 2, 0, 1]).double(), torch.tensor([1.0, 2, 3]).double()
    found = out_side @ ((kernel_side @ kernel) * (in_side @ inputs))
    assert torch.allclose(found, torch.tensor([1.0, 6, 4, 5]).double())
