import pytest
import torch
from torch import nn

from repvgg_seg.export.int8_errors import int8_errors


def conv(weights):
    layer = nn.Conv2d(len(weights), 1, 1, bias=False)
    layer.weight = nn.Parameter(torch.tensor(weights)[None, :, None, None])
    return layer


@pytest.mark.parametrize(
    'weights, pixel, error',
    [
        ([63.0, 1.0], [1.0, 1.0], 0.0),  # steps of 1 for the weights
        ([63.0, 0.4], [0.0, 1.0], 1.0),  # less than half a step is lost
        ([63.0, 0.6], [0.0, 1.0], 0.4 / 0.6),
    ],
)
def test_by_hand(weights, pixel, error):
    network = nn.Sequential(conv(weights))
    image = torch.tensor(pixel)[None, :, None, None]
    (found,) = int8_errors(network, [image, torch.zeros_like(image)]).values()
    assert found == pytest.approx(error, abs=1e-5)
    assert not network[0]._forward_hooks


def test_the_input_is_rounded_to_its_range_over_all_images():
    network = nn.Sequential(conv([1.0]))
    images = [torch.full((1, 1, 1, 1), 255.0), torch.full((1, 1, 1, 1), 1.4)]
    assert int8_errors(network, images)['0'] == pytest.approx(0.4 / (255**2 + 1.4**2) ** 0.5, rel=1e-3)


def test_every_conv_is_measured_alone():
    network = nn.Sequential(conv([1.0]), nn.ReLU(), conv([1.0]))
    errors = int8_errors(network, [torch.full((1, 1, 1, 1), 2.0)])
    assert list(errors) == ['0', '2'] and max(errors.values()) < 1e-6
