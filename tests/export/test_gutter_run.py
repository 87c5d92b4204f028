import pytest
import torch
from helpers import randomise_bn, relative_error
from small_models import SMALL, options, resnet
from torch import nn

from repvgg_seg.export.gutter_run import GutterRun
from repvgg_seg.models import RepVGG
from repvgg_seg.models.replace_module import replace_module
from repvgg_seg.optimize.layer_shapes import input_shapes
from repvgg_seg.optimize.passes.conv_bn import fold_conv_bn
from repvgg_seg.optimize.passes.dilation import PhaseRun, undilate
from repvgg_seg.optimize.passes.repvgg_fusion import fuse_repvgg


def repvgg():
    model = randomise_bn(RepVGG(SMALL, output_stride=8)).eval()
    return fuse_repvgg(model, options())[0]


def dilated_resnet():
    return fold_conv_bn(resnet(), options())[0]


@pytest.mark.parametrize('make', [repvgg, dilated_resnet])
@pytest.mark.parametrize('size', [(64, 64), (72, 41)])
@torch.no_grad()
def test_it_equals_the_dilated_run(make, size):
    model = make()
    x = torch.randn(1, 3, *size)
    expected = model(x)
    undilate(model, options(dilation='gutter'))
    runs = [module for module in model.modules() if isinstance(module, PhaseRun)]
    shapes = input_shapes(model, runs, options(input_shape=(1, 3, *size)))
    for run in runs:
        replace_module(model, run, GutterRun(run, shapes[run][2:]))
    assert len(runs) == 2 and all(conv.dilation == (1, 1) for conv in model.modules() if isinstance(conv, nn.Conv2d))
    for found, wanted in zip(model(x), expected, strict=True):
        assert relative_error(found, wanted) < 1e-6
