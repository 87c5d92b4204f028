"""Networks as torch.jit.trace and the older ONNX exporter record them: nothing is lost, and another size is refused."""

import warnings

import pytest
import torch
from helpers import randomise_bn, relative_error
from small_models import SMALL, options, psp_head, resnet, segmentor
from torch import nn

import repvgg_seg
from repvgg_seg.models import FoldedPSPHead, RepVGG, reparameterize_model
from repvgg_seg.models.folded_psp_head import _make_averages
from repvgg_seg.models.tracing import fixed, outside_of_trace
from repvgg_seg.optimize.passes.dilation import undilate
from repvgg_seg.optimize.winograd_conv import WinogradConv


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', torch.jit.TracerWarning)
        yield


def traced(model, *shape):
    """The network as it is recorded on an image of this shape, without writing into a view.

    The only writes in place that the exporter knows are those into a whole tensor.
    """
    _make_averages.cache_clear()  # else the constants may come from an earlier call, which is no part of the trace
    with torch.no_grad():
        recorded = torch.jit.trace(model, torch.randn(*shape), check_trace=False)
    written = {node.kind() for node in recorded.inlined_graph.nodes() if node.kind().endswith('_')}
    assert written <= {'aten::relu_', 'aten::add_'}
    return recorded


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('deploy', [False, True])
@pytest.mark.parametrize('align_corners', [False, True])
@torch.no_grad()
def test_the_folded_head(memory_format, deploy, align_corners):
    plain = psp_head(in_index=0, align_corners=align_corners)
    head = FoldedPSPHead.from_head(plain)
    if deploy:
        head.switch_to_deploy()

    class OnMaps(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = head

        def forward(self, x):
            return self.head([x.contiguous(memory_format=memory_format)])

    recorded = traced(OnMaps(), 2, 16, 9, 12)
    for number in (2, 3):
        x = torch.randn(number, 16, 9, 12)
        assert relative_error(recorded(x), plain([x])) < 1e-5
    for size in ((12, 9), (9, 13), (1, 1), (18, 12)):
        with pytest.raises(RuntimeError):
            recorded(torch.randn(2, 16, *size))


@pytest.mark.slow
@pytest.mark.parametrize('dilation', ['dilated', 'batch', 'gutter'])
@torch.no_grad()
def test_the_optimized_segmentor(dilation):
    model = segmentor()
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64), dilation=dilation)
    recorded = traced(optimized, 1, 3, 64, 96)
    x = torch.randn(1, 3, 64, 96)
    assert relative_error(recorded(x), model(x)) < 1e-5
    with pytest.raises(RuntimeError):
        recorded(torch.randn(1, 3, 96, 64))


@pytest.mark.parametrize('layout', ['batch', 'gutter'])
@torch.no_grad()
def test_bottlenecks_on_phase_images(layout):
    model = resnet()
    x = torch.randn(1, 3, 33, 40)
    expected = model(x)
    undilate(model, options(dilation=layout))
    for found, wanted in zip(traced(model, 1, 3, 33, 40)(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-5


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('groups, dilation', [(1, 1), (2, 3)])
@torch.no_grad()
def test_a_conv_by_winograd(bias, groups, dilation):
    conv = nn.Conv2d(8, 12, 3, padding=dilation, dilation=dilation, groups=groups, bias=bias)
    recorded = traced(WinogradConv(conv), 1, 8, 20, 24)
    for shape in ((1, 8, 20, 24), (2, 8, 13, 31)):
        x = torch.randn(*shape)
        assert relative_error(recorded(x), conv(x)) < 1e-5


@pytest.mark.slow
@torch.no_grad()
def test_a_fused_backbone():
    """torch asks for every property of a module while it records it."""
    model = reparameterize_model(randomise_bn(RepVGG(SMALL)).eval())
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(torch.jit.trace(model, x)(x)[-1], model(x)[-1])


def test_windows():
    cfg = dict(mode='slide', crop_size=(48, 48), stride=(32, 32))
    model = segmentor(test_cfg=cfg)
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 48, 48))

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = optimized

        def forward(self, x):
            return self.model.slide_inference(x, [{}])

    with torch.no_grad():
        recorded = torch.jit.trace(Logits(), torch.randn(1, 3, 64, 80), check_trace=False)
    x = torch.randn(1, 3, 64, 80)
    assert relative_error(recorded(x), model.slide_inference(x, [{}])) < 1e-5


def test_constants_are_made_outside_of_the_trace():
    class Doubled(nn.Module):
        def forward(self, x):
            height, width = fixed(x.shape)
            return x * outside_of_trace(torch.full, (height, width), 2.0)

    recorded = torch.jit.trace(Doubled(), torch.ones(2, 3))
    assert [node.kind() for node in recorded.graph.nodes()].count('aten::full') == 0
    assert torch.equal(recorded(torch.ones(2, 3)), torch.full((2, 3), 2.0))


@pytest.mark.slow
@pytest.mark.parametrize('dilation', ['dilated', 'batch', 'gutter'])
@torch.no_grad()
def test_the_older_onnx_exporter(dilation, tmp_path):
    runtime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    model = segmentor()
    optimized = repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64), dilation=dilation)
    path = str(tmp_path / 'model.onnx')
    image = torch.randn(1, 3, 64, 96)
    torch.onnx.export(optimized, (torch.randn(1, 3, 64, 96),), path, dynamo=False, input_names=['image'])
    (found,) = runtime.InferenceSession(path).run(None, dict(image=image.numpy()))
    assert relative_error(torch.from_numpy(found), model(image)) < 1e-5
