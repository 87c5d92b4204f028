"""What every channel of a fused segmentor does on images."""

from collections.abc import Iterable
from typing import Any

import torch
from mmseg.models import BaseSegmentor
from torch import Tensor, nn

from ..measure.watched import watched
from ..models import RepVGG
from ..models.block import RepVGGBlock

# A batch as the data loader of the training makes it.
Batch = dict[str, Any]


def layers_of(backbone: RepVGG) -> list[RepVGGBlock]:
    """The layers of a plain backbone, from first to last."""
    return [module for module in backbone.modules() if isinstance(module, RepVGGBlock)]


class Moments:
    """Mean and variance of every channel of maps (N, C, H, W) that come one after another, summed in double precision."""

    def __init__(self, channels: int):
        self.number = 0
        self.sum, self.squares = torch.zeros(2, channels, dtype=torch.double)

    def add(self, maps: Tensor) -> None:
        wide = maps.detach().double()
        self.number += wide.numel() // wide.shape[1]
        self.sum += wide.sum((0, 2, 3)).cpu()
        self.squares += wide.square().sum((0, 2, 3)).cpu()

    @property
    def mean(self) -> Tensor:
        return self.sum / max(1, self.number)

    @property
    def variance(self) -> Tensor:
        """1 where there were no maps."""
        if not self.number:
            return torch.ones_like(self.sum)
        return (self.squares / self.number - self.mean.square()).clamp(min=0)


@torch.no_grad()
def moments_of_convs(model: BaseSegmentor, batches: Iterable[Batch]) -> list[Moments]:
    """Mean and variance of what the conv of every layer of a fused backbone gives, with its bias."""
    convs = [block.rbr_reparam for block in layers_of(model.backbone)]
    found = [Moments(conv.out_channels) for conv in convs]
    model.eval()
    with watched(convs, [lambda _, __, maps, moments=moments: moments.add(maps) for moments in found]):
        forward(model, batches)
    return found


def forward(model: BaseSegmentor, batches: Iterable[Batch]) -> None:
    """Compute the logits of batches, for what watches the parts of the model."""
    for batch in batches:
        model(model.data_preprocessor(batch, True)['inputs'], mode='tensor')


def effects_of_blocks(model: BaseSegmentor, batches: Iterable[Batch]) -> list[Tensor]:
    """How much the loss would change, squared, if a channel of a block were 0, to first order.

    The change is the sum over the map of output times gradient (Molchanov et al., CVPR 2019); the squares are summed over the
    images, so that effects of both signs do not cancel.

    Returns:
        (C,) for every block, in double precision; comparable between blocks.
    """
    blocks = layers_of(model.backbone)
    effects = [torch.zeros(block.plan.out_channels, dtype=torch.double) for block in blocks]

    def watch(effect: Tensor) -> Any:
        def hook(_: nn.Module, __: Any, maps: Tensor) -> None:
            outputs = maps.detach().clone()  # the next layer may work in place

            def add(gradient: Tensor) -> None:
                effect.add_((outputs * gradient).double().sum((2, 3)).square().sum(0).cpu())

            maps.register_hook(add)

        return hook

    model.eval().requires_grad_(False)  # the gradients of the images are enough to reach every map
    with watched(blocks, [watch(effect) for effect in effects]):
        for batch in batches:
            data = model.data_preprocessor(batch, True)
            losses = model(data['inputs'].requires_grad_(), data['data_samples'], mode='loss')
            model.parse_losses(losses)[0].backward()
    return effects
