"""A conv that pads its input itself has the results and the gradients of one that leaves it to torch."""

import pytest
import torch
from helpers import relative_error
from torch import nn

from repvgg_seg.models.block import RepVGGBlock
from repvgg_seg.models.dilated_conv import DilatedConv2d
from repvgg_seg.models.stride_dilation_plan import LayerPlan


@pytest.fixture
def avx2(monkeypatch):
    """A processor where torch is slow at wide padding, whatever it is."""
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: 'AVX2')


def pads_itself(out):
    return 'PaddedBeforehand' in type(out.grad_fn).__name__


def gradients(conv, x, wanted=(True, True)):
    x = x.clone().requires_grad_(wanted[0])
    conv.weight.requires_grad_(wanted[1])
    out = conv(x)
    out.square().sum().backward()
    return out, x.grad, conv.weight.grad


@pytest.mark.parametrize('wanted', [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(
    'options',
    [
        dict(padding=4, dilation=4),
        dict(padding=4, dilation=4, groups=2),
        dict(padding=8, dilation=8, stride=2),
        dict(padding=(1, 5), dilation=(1, 5)),
    ],
)
def test_results_and_gradients(avx2, options, wanted):
    torch.manual_seed(0)
    plain = nn.Conv2d(8, 12, 3, bias=False, **options)
    conv = DilatedConv2d(8, 12, 3, bias=False, **options)
    conv.load_state_dict(plain.state_dict())
    x = torch.randn(2, 8, 11, 14)
    found, expected = gradients(conv, x, wanted), gradients(plain, x, wanted)
    assert pads_itself(found[0])
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        assert one is None or relative_error(one, other) < 1e-6


def test_second_derivatives(avx2):
    torch.manual_seed(0)
    conv = DilatedConv2d(3, 4, 3, padding=4, dilation=4, bias=False)
    plain = nn.Conv2d(3, 4, 3, padding=4, dilation=4, bias=False)
    plain.load_state_dict(conv.state_dict())
    x = torch.randn(1, 3, 9, 9, requires_grad=True)
    second = []
    for layer in (conv, plain):
        (first,) = torch.autograd.grad(layer(x).pow(3).sum(), x, create_graph=True)
        second.append(torch.autograd.grad(first.square().sum(), (x, layer.weight)))
    for found, expected in zip(*second, strict=True):
        assert relative_error(found, expected) < 1e-5


def test_it_keeps_the_input_as_it_came(avx2):
    x = torch.randn(1, 8, 20, 20, requires_grad=True)
    conv = DilatedConv2d(8, 8, 3, padding=4, dilation=4, bias=False)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        conv(x)
    assert {tensor.data_ptr() for tensor in kept} == {x.data_ptr(), conv.weight.data_ptr()}


@pytest.mark.parametrize(
    'dilation, change, expected',
    [
        (4, None, True),
        (2, None, False),
        (4, lambda block: block.eval(), False),
        (4, lambda block: block.bfloat16(), False),
    ],
)
def test_where_a_block_does_so(avx2, dilation, change, expected):
    block = RepVGGBlock(LayerPlan(0, 8, 8, 1, dilation, 1, False))
    if change:
        change(block)
    conv = block.rbr_dense.conv
    x = torch.randn(2, 8, 12, 12, dtype=conv.weight.dtype)
    assert pads_itself(conv(x)) == expected
    assert not pads_itself(block.rbr_1x1.conv(x))


def test_not_without_gradients_and_under_autocast(avx2):
    conv = DilatedConv2d(8, 8, 3, padding=4, dilation=4, bias=False)
    x = torch.randn(1, 8, 12, 12)
    with torch.no_grad():
        assert conv(x).grad_fn is None
    with torch.autocast('cpu', torch.bfloat16):
        assert not pads_itself(conv(x))


def test_it_can_be_traced(avx2):
    conv = DilatedConv2d(8, 8, 3, padding=4, dilation=4, bias=False)
    x = torch.randn(1, 8, 12, 12)
    traced = torch.fx.symbolic_trace(nn.Sequential(conv))
    assert relative_error(traced(x), conv(x)) < 1e-6


@pytest.mark.parametrize('capability', ['AVX512', 'DEFAULT'])
def test_not_on_other_processors(monkeypatch, capability):
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: capability)
    conv = DilatedConv2d(8, 8, 3, padding=4, dilation=4, bias=False)
    assert not pads_itself(conv(torch.randn(1, 8, 12, 12)))
