"""Runs for shapes: nothing is computed where that is possible, and the model stays as it was."""

import pytest
import torch
from small_models import options, segmentor
from torch import nn

from repvgg_seg.optimize.layer_shapes import input_shapes, run_for_shapes, run_without_values


class Seen(nn.Conv2d):
    """Notes the devices of its images, and keeps what it made of the last one."""

    def forward(self, x):
        self.kept = x
        devices.append(x.device.type)
        return super().forward(x)


class NeedsValues(Seen):
    def forward(self, x):
        return super().forward(x) if x.sum() > -1e9 else x


devices = []


@pytest.mark.parametrize(
    'layer, package, expected',
    [(Seen, 'torch.nn', ['meta']), (NeedsValues, 'torch.nn', ['cpu']), (Seen, 'my_own', ['cpu'])],
)
def test_where_a_model_runs(monkeypatch, layer, package, expected):
    """Without values where every class is of a known package and can do without."""
    monkeypatch.setattr(layer, '__module__', package)
    devices.clear()
    model = nn.Sequential(layer(3, 4, 3), nn.ReLU())
    run_for_shapes(model, (1, 3, 8, 8))
    assert devices == expected
    assert all(parameter.device.type == 'cpu' for parameter in model.parameters())
    assert not hasattr(model[0], 'kept') or model[0].kept.device.type == 'cpu'


@pytest.mark.parametrize('mode', ['tensor', 'predict'])
def test_shapes_of_a_segmentor(mode):
    """Stage by stage: strides 2, 2 and 2, then dilation; the auxiliary head is not reached."""
    model = segmentor()
    layers = [model.backbone.stage0, model.backbone.stage4[0], model.decode_head.bottleneck, model.auxiliary_head]
    shapes = input_shapes(model, layers, options(input_shape=(2, 3, 64, 96)))
    assert list(shapes) == layers[:3]
    assert [tuple(shape) for shape in shapes.values()] == [(2, 3, 64, 96), (2, 128, 8, 12), (2, 176, 8, 12)]
    assert not any(layer._forward_pre_hooks for layer in layers)
    run_without_values(model, (2, 3, 64, 96), mode=mode)
    assert model(torch.zeros(1, 3, 64, 64)).device.type == 'cpu'


def test_what_the_model_raises_is_told():
    with pytest.raises(RuntimeError, match='expected input'):
        run_for_shapes(nn.Sequential(nn.Conv2d(3, 4, 3)), (1, 5, 8, 8))
