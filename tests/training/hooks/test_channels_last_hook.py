"""Training channels last: the same numbers."""

from types import SimpleNamespace

import torch
from helpers import relative_error

from repvgg_seg.models import RepVGG
from repvgg_seg.models.memory_format import to_channels_last
from repvgg_seg.training.hooks import ChannelsLastHook


def test_gradients_are_the_same_and_maps_are_channels_last():
    model = RepVGG(dict(depths=(1, 1, 1, 1, 1), a=0.25, b=0.25), output_stride=8)
    image = torch.randn(2, 3, 32, 40)
    gradients = []
    for _ in range(2):
        model.zero_grad()
        out = model(image)[3]
        out.square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
        ChannelsLastHook().before_train(SimpleNamespace(model=model))
    assert out.is_contiguous(memory_format=torch.channels_last)
    kernel = model.stage1[0].rbr_dense.conv.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last) and not kernel.is_contiguous()
    for plain, other in zip(*gradients, strict=True):
        assert relative_error(other, plain) < 1e-4 or plain.abs().max() < 1e-4


def test_the_stem_stays_as_it_is():
    """A strided 1x1 conv of 3 channels, channels last, writes past its memory in the backward pass on a CPU (oneDNN 3.12)."""
    model = RepVGG('A0')
    to_channels_last(model)
    for branch in (model.stage0.rbr_dense, model.stage0.rbr_1x1):
        assert branch.conv.weight.is_contiguous()
    assert not model.stage1[0].rbr_dense.conv.weight.is_contiguous()
    maps = []
    model.stage0.rbr_1x1.conv.register_forward_hook(lambda module, args, out: maps.append(out))
    model(torch.rand(1, 3, 64, 64))
    assert maps[0].is_contiguous()
