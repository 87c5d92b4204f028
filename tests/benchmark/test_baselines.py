"""The networks that the paper compares with."""

import pytest
import torch
from helpers import randomise_bn, relative_error, skip_without_its_library
from torch import nn

from repvgg_seg.benchmark.networks import build_classifier, in_form
from repvgg_seg.errors import InputError
from repvgg_seg.optimize.options import Options


@pytest.mark.parametrize('name', ['ResNet-18', 'RegNetX-3.2GF', 'EfficientNet-B0'])
def test_baselines_are_folded(name):
    """Every BN gone, the logits the same: the convs that were paired belong together."""
    skip_without_its_library(name)
    model = randomise_bn(build_classifier(name))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # of one sign, or the signal dies in so many layers
            module.weight.data.abs_().add_(0.5)
            module.bias.data.mul_(0.1)
    x = torch.rand(1, 3, 64, 64)
    fused = in_form(model, 'fused', Options((1, 3, 64, 64)))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    assert relative_error(fused(x), model(x)) < 1e-4


def test_baselines_whose_library_is_not_there(monkeypatch):
    monkeypatch.setattr('repvgg_seg.benchmark.baselines.find_spec', lambda name: None)
    with pytest.raises(InputError, match='RegNetX-12GF comes from the library transformers, .* pip install'):
        build_classifier('RegNetX-12GF')
