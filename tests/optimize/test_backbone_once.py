import pytest
import torch
from torch import nn

from repvgg_seg.optimize.backbone_once import backbone_runs_once


class Backbone(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.maps, self.runs = maps, 0

    def forward(self, x):
        self.runs += 1
        return self.maps(x)


class Model(nn.Module):
    """The head writes into the maps that it gets."""

    def __init__(self, maps):
        super().__init__()
        self.backbone = Backbone(maps)

    def forward(self, x):
        maps = self.backbone(x)
        return maps[0].add_(1) if isinstance(maps, (tuple, list)) else maps


@pytest.mark.parametrize(
    'maps, runs',
    [
        (lambda x: (x + 1, x + 2), 2),
        (lambda x: [x + 1], 2),
        (lambda x: (x + torch.rand(1),), 3),  # random numbers
        (lambda x: dict(a=x), 3),
        (lambda x: [x + 1] * 2, 3),  # one tensor twice: what is written into one shows in the other
    ],
)
def test_the_same_images_run_once(maps, runs):
    model, twin = Model(maps), Model(maps)
    images = [torch.zeros(1, 2), torch.zeros(1, 2), torch.ones(1, 2)]
    torch.manual_seed(0)
    with backbone_runs_once(model):
        found = [model(image.clone()) for image in images]
    torch.manual_seed(0)
    expected = [twin(image.clone()) for image in images]
    assert model.backbone.runs == runs and 'forward' not in vars(model.backbone)
    assert str(found) == str(expected)
