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


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('pairs', [16, 50, 8192])
@torch.inference_mode()
def test_the_workspace_may_hold_anything(memory_format, pairs, monkeypatch):
    """What it held before has no part in the kernel, nor has what it holds afterwards. A few channels at a time, or all."""
    monkeypatch.setattr(winograd_conv, '_PAIRS', pairs)
    conv = nn.Conv2d(16, 24, 3, padding=1).to(memory_format=memory_format)
    x = torch.randn(1, 16, 9, 10)
    workspace = torch.full((winograd_conv.GROWTH * conv.weight.numel() + 5,), torch.nan)
    found = WinogradConv(conv, workspace)
    workspace.fill_(torch.nan)
    assert relative_error(found(x), copy.deepcopy(conv).double()(x.double())) < 4e-6


def test_winograd_matrices_compute_a_convolution():
    """Four outputs of (1, 2, 3) over 1, 0, 0, 2, 0, 1, slid by hand."""
    out_side, kernel_side, in_side = winograd_conv._matrices()
    inputs, kernel = torch.tensor([1.0, 0, 0, 2, 0, 1]).double(), torch.tensor([1.0, 2, 3]).double()
    found = out_side @ ((kernel_side @ kernel) * (in_side @ inputs))
    assert torch.allclose(found, torch.tensor([1.0, 6, 4, 5]).double())
