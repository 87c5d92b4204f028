"""Training channels last: the same numbers."""

from types import SimpleNamespace

import torch
from helpers import relative_error

from repvgg_seg.hooks import ChannelsLastHook
from repvgg_seg.models import RepVGG


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
    for plain, other in zip(*gradients, strict=True):
        assert relative_error(other, plain) < 1e-4 or plain.abs().max() < 1e-4
