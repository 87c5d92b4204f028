import pytest
import torch
from helpers import randomise_bn, relative_error
from small_models import SMALL, options, resnet

from repvgg_seg.models import RepVGG
from repvgg_seg.optimize.passes.conv_bn import fold_conv_bn
from repvgg_seg.optimize.passes.dilation import PhaseRun, RunRecord, undilate
from repvgg_seg.optimize.passes.repvgg_fusion import fuse_repvgg


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('layout', ['batch', 'gutter'])
@pytest.mark.parametrize('size', [(64, 64), (72, 41), (17, 120)])
@pytest.mark.parametrize('dilate_last', [None, 3])
@torch.no_grad()
def test_undilated_repvgg_equals_the_dilated(dilate_last, size, layout, memory_format):
    model = RepVGG({**SMALL, 'groups': 2}, output_stride=8, dilate_last=dilate_last)
    model = randomise_bn(model).eval()
    fuse_repvgg(model, options())
    model.to(memory_format=memory_format)
    x = torch.randn(2, 3, *size)
    expected = model(x)
    _, record = undilate(model, options(dilation=layout))
    runs = [module for module in model.modules() if isinstance(module, PhaseRun)]
    # stage4 by 2 and stage5 by 4
    layers = 3 if dilate_last is None else 2
    assert [(run.dilation, len(run.layers)) for run in runs] == [(2, layers), (4, 1)]
    assert record.runs == (RunRecord(1, 4, layout, {}), RunRecord(layers, 2, layout, {}))
    assert str(record) == (
        f'1 layers of dilation 4 in {layout} layout; {layers} layers of dilation 2 in {layout} layout'
    )
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-6


@pytest.mark.parametrize('layout', ['batch', 'gutter'])
@pytest.mark.parametrize('size', [(64, 64), (72, 41)])
@torch.no_grad()
def test_undilated_resnet_equals_the_dilated(size, layout):
    model = resnet()
    fold_conv_bn(model, options())
    x = torch.randn(2, 3, *size)
    expected = model(x)
    undilate(model, options(dilation=layout))
    assert [len(run.layers) for run in model.modules() if isinstance(run, PhaseRun)] == [6, 3]
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-6


def test_a_measured_choice_tells_the_times():
    model = RepVGG(SMALL, output_stride=8, out_indices=(3,)).eval()
    fuse_repvgg(model, options())
    _, record = undilate(model, options())
    assert len(record.runs) == 2
    for run in record.runs:
        assert run.seconds.keys() == {'batch', 'gutter', 'dilated'} and run.layout in run.seconds
    assert all(name in str(record) for name in ('batch', 'gutter', 'dilated', ' ms'))


@pytest.mark.parametrize(
    'times, layout',
    [
        (dict(batch=0.5, gutter=0.6, dilated=1.0), 'batch'),
        (dict(batch=0.7, gutter=0.6, dilated=1.0), 'gutter'),
        (dict(batch=0.98, gutter=0.98, dilated=1.0), 'dilated'),  # no more than noise
    ],
)
def test_the_fastest_is_taken(monkeypatch, times, layout):
    monkeypatch.setattr('repvgg_seg.optimize.passes.dilation._time_layouts', lambda *args: times)
    model = RepVGG(SMALL, output_stride=8, out_indices=(3,)).eval()
    fuse_repvgg(model, options())
    _, record = undilate(model, options())
    assert [run.layout for run in record.runs] == [layout] * 2
    assert sum(isinstance(module, PhaseRun) for module in model.modules()) == (0 if layout == 'dilated' else 2)


def test_layers_with_squeeze_and_excitation_or_no_dilation_are_no_runs():
    for model in (RepVGG({**SMALL, 'se': True}, output_stride=8), RepVGG(SMALL)):
        fuse_repvgg(model, options())
        assert undilate(model.eval(), options(dilation='batch')) == (model, None)
