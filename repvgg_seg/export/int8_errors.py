"""How much the features of every conv suffer when it is computed in 8 bits."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from ..measure.watched import watched

_LARGEST = 63  # of a weight: with 7 bits, sums of products stay within 16 bits on a processor without VNNI


class _Observer:
    """What a conv gets and gives over some images: the range of its input, then the error of its output.

    Args:
        conv: what is observed.
    """

    def __init__(self, conv: nn.Conv2d):
        self._rounded = _rounded_weights(conv.weight)
        self._low = self._high = 0.0
        self._difference = self._output = 0.0

    @property
    def error(self) -> float:
        """The norm of the difference over the norm of the output."""
        return (self._difference / self._output) ** 0.5 if self._output else 0.0

    def take_range(self, conv: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """A forward hook for the first run."""
        x = inputs[0]
        self._low, self._high = min(self._low, x.min().item()), max(self._high, x.max().item())

    def take_error(self, conv: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """A forward hook for the second run."""
        step = max((self._high - self._low) / 255, torch.finfo(torch.float32).tiny)
        x = torch.fake_quantize_per_tensor_affine(inputs[0], step, round(-self._low / step), 0, 255)
        difference = conv._conv_forward(x, self._rounded, conv.bias) - output
        self._difference += difference.square().sum(dtype=torch.double).item()
        self._output += output.square().sum(dtype=torch.double).item()


def _rounded_weights(weight: Tensor) -> Tensor:
    steps = (weight.abs().amax((1, 2, 3)) / _LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
    zeros = torch.zeros(len(weight), dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, steps, zeros, 0, -_LARGEST, _LARGEST)


@torch.no_grad()
def int8_errors(network: nn.Module, images: Sequence[Tensor]) -> dict[str, float]:
    """The relative error of the output of every conv when it alone is computed in 8 bits, by its name in the network.

    Weights are rounded by channel and inputs by tensor, to their range over the images, as the engines do it.

    Args:
        network: in eval mode, on the CPU.
        images: as the network takes them, (N, C, H, W).
    """
    convs = {name: part for name, part in network.named_modules() if isinstance(part, nn.Conv2d)}
    observers = [_Observer(conv) for conv in convs.values()]
    for step in (_Observer.take_range, _Observer.take_error):
        with watched([*convs.values()], [partial(step, observer) for observer in observers]):
            for image in images:
                network(image)
    return {name: observer.error for name, observer in zip(convs, observers, strict=True)}
