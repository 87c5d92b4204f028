"""Things of a wrong type given to the public functions: one message each that says what is taken."""

from pathlib import Path

import pytest
import torch

import repvgg_seg
from repvgg_seg import RepVGG, RepVGGClassifier
from repvgg_seg.errors import InputError
from repvgg_seg.weights.convert import convert
from repvgg_seg.weights.read import read_checkpoint

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25)
NO_MODELS = [None, 'model.pth', Path('model.pth'), {}, RepVGG, 3]
ON_A_MODEL = [
    repvgg_seg.reparameterize_model,
    repvgg_seg.optimize_for_inference,
    lambda m: repvgg_seg.load_weights(m, 'x'),
]


@pytest.mark.parametrize('function', ON_A_MODEL)
@pytest.mark.parametrize('given', NO_MODELS, ids=repr)
def test_no_model(function, given):
    with pytest.raises(InputError, match=r'^model must be a network \(torch.nn.Module\), got .*: build it first.*$'):
        function(given)


@pytest.mark.parametrize('given', [None, {}, dict(a=torch.ones(1)), 3, b'x.pth', RepVGG], ids=repr)
def test_no_file(given):
    for function in (read_checkpoint, lambda f: repvgg_seg.load_weights(RepVGG(TINY), f)):
        with pytest.raises(InputError, match='^a checkpoint file is named by its path, got a .*load_state_dict'):
            function(given)


@pytest.mark.parametrize('given', [None, {}, 3, RepVGG, ['a.onnx']], ids=repr)
def test_no_exported_file(given):
    with pytest.raises(InputError, match='^an exported file is named by its path, got '):
        repvgg_seg.load_engine(given)


@pytest.mark.parametrize('given', [None, 'x.pth', Path('x.pth'), [torch.ones(1)]], ids=repr)
def test_nothing_to_convert(given):
    with pytest.raises(InputError, match='^checkpoint must be a dict of tensors, got a '):
        convert(given, 'timm')


@pytest.mark.parametrize('family', ['torchvision', None, ''])
def test_no_family(family):
    with pytest.raises(InputError, match='^family must be one of ours, official, timm, mmpretrain, got '):
        convert(RepVGGClassifier(TINY).state_dict(), family)


def test_a_network_without_values(tmp_path):
    """Fusing on the device 'meta' computes shapes; what would measure or load there is refused."""
    torch.save(RepVGG(TINY).state_dict(), tmp_path / 'x.pth')
    with torch.device('meta'):
        model = RepVGG(TINY)
    fused = repvgg_seg.reparameterize_model(model)
    assert fused.stage0.rbr_reparam.weight.shape == (16, 3, 3, 3) and fused.stage0.rbr_reparam.weight.is_meta
    for function in (repvgg_seg.optimize_for_inference, lambda m: repvgg_seg.load_weights(m, tmp_path / 'x.pth')):
        with pytest.raises(InputError, match="on the device 'meta', where weights have no values: build it on another"):
            function(model)
