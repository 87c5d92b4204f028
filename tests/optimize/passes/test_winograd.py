import copy

import pytest
import torch
from helpers import relative_error
from small_models import options, segmentor
from torch import nn

import repvgg_seg
from repvgg_seg.optimize import winograd_conv
from repvgg_seg.optimize.passes import winograd
from repvgg_seg.optimize.passes.winograd import WinogradRecord, apply_winograd, can_apply_winograd
from repvgg_seg.optimize.winograd_conv import WinogradConv


@torch.no_grad()
def test_winograd_keeps_to_the_memory_limit(monkeypatch):
    monkeypatch.setattr(winograd, '_gain', lambda conv, shape: 0.25)
    model = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1)).eval()
    model.to(memory_format=torch.channels_last)
    held = 2 * 4 * (16 * 16 * 9 + 16)
    maps = 4 * 3 * 16 * 64 * 64 + 2 * winograd_conv.WORKSPACE
    one_kernel_grows_by = 4 * 16 * 16 * (36 - 9)
    shape = (1, 16, 64, 64)
    for room, replaced in ((0, 0), (one_kernel_grows_by, 1), (2 * one_kernel_grows_by, 2)):
        twin = copy.deepcopy(model)
        _, record = apply_winograd(twin, options(input_shape=shape, memory_limit=held + maps + room))
        assert record == (WinogradRecord(replaced, 2, 0.25 * replaced) if replaced else None)
        assert sum(isinstance(module, WinogradConv) for module in twin) == replaced
        x = torch.randn(shape)
        assert relative_error(twin(x), model(x)) < 1e-5
    assert str(record) == '2 of the 2 3x3 convs that gain by it, 500 ms faster'


def test_winograd_leaves_other_convs(monkeypatch):
    monkeypatch.setattr(winograd, '_gain', lambda conv, shape: 1.0)
    model = nn.Sequential(
        nn.Conv2d(16, 16, 3, stride=2, padding=1),
        nn.Conv2d(16, 16, 3),
        nn.Conv2d(16, 16, 1),
        nn.Conv2d(16, 16, 3, padding=1, padding_mode='reflect'),
        nn.Conv2d(16, 16, 3, padding=1, groups=16),
    )
    assert apply_winograd(model, options(input_shape=(1, 16, 32, 32), memory_limit=2**40)) == (model, None)


@pytest.mark.parametrize(
    'asked, found', [(dict(), True), (dict(dtype=torch.bfloat16), False), (dict(compile=True), False)]
)
def test_where_it_can_be_applied(asked, found):
    assert can_apply_winograd(nn.Conv2d(3, 3, 3), options(**asked)) == found
    assert not can_apply_winograd(nn.Conv2d(3, 3, 3, device='meta'), options(**asked))


@pytest.mark.slow
@pytest.mark.parametrize('arguments, measured', [(dict(), 1), (dict(skip=['winograd']), 0), (dict(dtype='bf16'), 0)])
def test_the_memory_of_the_fused_model_is_measured_only_for_this_pass(monkeypatch, arguments, measured):
    """With the blocks fused and all else as it was; what comes out is the limit of the pass."""
    models, limits = [], []

    def peak_memory(call, device):
        models.append(call.__closure__)
        return 10**6

    monkeypatch.setattr(winograd, 'peak_memory', peak_memory)
    monkeypatch.setattr(winograd, '_candidates', lambda model, options, part: limits.append(options.memory_limit))
    model = repvgg_seg.reparameterize_model(segmentor())
    weights = 4 * sum(parameter.numel() for parameter in model.parameters())
    buffers = sum(buffer.nbytes for buffer in model.buffers())
    repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64), dilation='dilated', **arguments)
    assert len(models) == measured
    assert limits == [10**6 + weights + buffers] * measured


def test_without_the_operators_the_pass_stands_back(monkeypatch):
    monkeypatch.setattr(winograd, 'is_available', lambda: False)
    optimized = repvgg_seg.optimize_for_inference(segmentor(), input_shape=(1, 3, 64, 64), dilation='dilated')
    assert 'winograd' not in optimized.optimize_report
    assert not any(isinstance(module, WinogradConv) for module in optimized.modules())
