"""Pass 'dilation': a run of dilated 3x3 convs becomes a run of undilated ones over phase images, where that pays.

With stride 1 and one dilation d, the pixels of one phase (row mod d, column mod d) never meet those of another. There are
two layouts for the d * d phase images: they are stacked in the batch, or they lie side by side in one image with a row and
a column of zeros between them, the gutter, which is set back to zero before every 3x3 conv. Pointwise layers in between
do not see the difference. Libraries such as ncnn have Winograd's algorithm for undilated convs alone (paper, section 4.3);
those without it, such as oneDNN (see `winograd.py`), may still compute undilated convs faster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.backbones.resnet import Bottleneck
from torch import Tensor, nn

from ...measure.timing import best_seconds
from ...models.block import RepVGGBlock
from ...models.tracing import is_tracing
from ..layer_shapes import input_shapes
from ..options import Options
from ..phase_images import LAYOUTS
from .pass_definition import Record

_WORTH_IT = 0.97  # of the time of the dilated run: less of a gain is noise
_SAMPLE = 2  # layers of a run that are timed


@dataclass(frozen=True)
class RunRecord:
    """What became of one run of dilated layers.

    Args:
        layers: number of layers in the run.
        dilation: dilation of their 3x3 convs before the rewrite.
        layout: 'batch' or 'gutter', or 'dilated' for a run that is left as it is.
        seconds: time of the first layers of the run in each layout, where the choice was measured.
    """

    layers: int
    dilation: int
    layout: str
    seconds: Mapping[str, float]

    def __str__(self) -> str:
        kept = 'left dilated' if self.layout == 'dilated' else f'in {self.layout} layout'
        times = ', '.join(f'{name} {1e3 * time:.1f} ms' for name, time in self.seconds.items())
        measured = f' (first {min(_SAMPLE, self.layers)} layers: {times})' if times else ''
        return f'{self.layers} layers of dilation {self.dilation} {kept}{measured}'


@dataclass(frozen=True)
class DilationRecord(Record):
    """What became of every run of dilated layers.

    Args:
        runs: one record per run, the last one of the network first.
    """

    runs: tuple[RunRecord, ...]

    def __str__(self) -> str:
        return '; '.join(map(str, self.runs))


def undilate(model: nn.Module, options: Options) -> tuple[nn.Module, DilationRecord | None]:
    """Rewrite the runs of dilated layers, in place, to the layout of `options.dilation`.

    'auto' times the run and both layouts on the device at hand, at the size that the run sees for an image of
    `options.input_shape`, and takes the fastest.
    """
    runs = _find_runs(model)
    shapes = _run_shapes(model, runs, options) if options.dilation == 'auto' and runs else {}
    records = []
    for run in runs:
        if options.dilation == 'auto' and run not in shapes:
            continue  # no image reaches it
        layers = list(run.container)[run.start : run.stop]
        layout = options.dilation
        times: dict[str, float] = {}
        if layout == 'auto':
            times = _known_times(layers, run.dilation, shapes[run], options)
            layout = min(LAYOUTS, key=lambda name: times[name])
            if times[layout] > _WORTH_IT * times['dilated']:
                layout = 'dilated'
        if layout != 'dilated':
            del run.container[run.start + 1 : run.stop]
            run.container[run.start] = PhaseRun(layers, run.dilation, layout)
        records.append(RunRecord(len(layers), run.dilation, layout, times))
    return model, DilationRecord(tuple(records)) if records else None


class PhaseRun(nn.Module):
    """Layers of one dilation, computed undilated over the phase images, (N, C, H, W) -> (N, C_out, H, W), any size.

    Args:
        layers: consecutive layers, RepVGG blocks in deploy form or bottlenecks.
        dilation: dilation of all their 3x3 convs.
        layout: layout of the phase images, 'batch' or 'gutter'. While it is traced, the run is computed dilated.
    """

    def __init__(self, layers: list[nn.Module], dilation: int, layout: str):
        super().__init__()
        self.layers = nn.ModuleList(_LAYERS[type(layer)][1](layer) for layer in layers)
        self.dilation = dilation
        self.phases = LAYOUTS[layout]

    def forward(self, x: Tensor) -> Tensor:
        if is_tracing():  # the older ONNX exporter would lose what is copied to and from the phase images
            for layer in self.layers:
                x = layer(x, _clear_nothing, self.dilation)
            return x
        phases = self.phases(self.dilation, (x.shape[2], x.shape[3]))
        x = phases.enter(x)
        for layer in self.layers:
            x = layer(x, phases.clear)
        return phases.leave(x)


class _PhaseConv(nn.Module):
    """A deployed RepVGG block, computed on phase images."""

    def __init__(self, block: RepVGGBlock):
        super().__init__()
        self.conv = _undilated(block.rbr_reparam)

    def forward(self, x: Tensor, clear: Callable[[Tensor], Tensor], dilation: int = 1) -> Tensor:
        """One canvas of phase images to another of C_out channels; `clear` sets the gaps to zero."""
        return F.relu(_convolve(self.conv, clear(x), dilation), inplace=True)


class _PhaseBottleneck(nn.Module):
    """A bottleneck of a ResNet, computed on phase images."""

    def __init__(self, block: Bottleneck):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = block.conv1, _undilated(block.conv2), block.conv3
        self.norm1, self.norm2, self.norm3 = block.norm1, block.norm2, block.norm3
        self.shortcut = block.downsample or nn.Identity()

    def forward(self, x: Tensor, clear: Callable[[Tensor], Tensor], dilation: int = 1) -> Tensor:
        """One canvas of phase images to another of C_out channels; `clear` sets the gaps to zero."""
        out = clear(F.relu(self.norm1(self.conv1(x)), inplace=True))
        out = F.relu(self.norm2(_convolve(self.conv2, out, dilation)), inplace=True)
        return F.relu(self.norm3(self.conv3(out)).add_(self.shortcut(x)), inplace=True)


def _convolve(conv: nn.Conv2d, x: Tensor, dilation: int) -> Tensor:
    """The 3x3 conv of a phase image, dilated again for a whole map."""
    if dilation == 1:
        return conv(x)
    return F.conv2d(x, conv.weight, conv.bias, padding=dilation, dilation=dilation, groups=conv.groups)


def _clear_nothing(canvas: Tensor) -> Tensor:
    """A whole map has no gaps."""
    return canvas


def _undilated(conv: nn.Conv2d) -> nn.Conv2d:
    """A conv over the same parameters with dilation and padding 1."""
    twin = nn.Conv2d(
        conv.in_channels, conv.out_channels, 3, padding=1, groups=conv.groups, bias=conv.bias is not None, device='meta'
    )
    twin.weight, twin.bias = conv.weight, conv.bias
    return twin.eval()


def _conv_of_block(block: RepVGGBlock) -> nn.Conv2d | None:
    """The conv of a deployed block without squeeze-and-excitation."""
    return block.rbr_reparam if block.deploy and not (block.plan.se or block.plan.post_se) else None


def _conv_of_bottleneck(block: Bottleneck) -> nn.Conv2d | None:
    """The 3x3 conv of a bottleneck without strides and plugins."""
    strided = block.conv1_stride != 1 or block.conv2_stride != 1
    return None if strided or block.with_plugins else block.conv2


# The layers that a run may hold: how to find their 3x3 conv (None where the layer is not fit), and what computes them on
# phase images.
_LAYERS: dict[type, tuple[Callable[[Any], nn.Conv2d | None], Callable[[Any], nn.Module]]] = {
    RepVGGBlock: (_conv_of_block, _PhaseConv),
    Bottleneck: (_conv_of_bottleneck, _PhaseBottleneck),
}


def _conv_of(layer: nn.Module) -> nn.Conv2d | None:
    """The 3x3 conv of a layer that a run may hold; None for any other layer."""
    return _LAYERS[type(layer)][0](layer) if type(layer) in _LAYERS else None


def _dilation(layer: nn.Module) -> int:
    """The dilation of a layer that can be computed on phase images; 1 for any other."""
    conv = _conv_of(layer)
    if (
        conv is None
        or type(conv) is not nn.Conv2d
        or conv.kernel_size != (3, 3)
        or conv.stride != (1, 1)
        or conv.padding_mode != 'zeros'
    ):
        return 1
    return conv.dilation[0] if conv.padding == conv.dilation and len(set(conv.dilation)) == 1 else 1


@dataclass(frozen=True, eq=False)
class _Run:
    """Layers `start` to `stop`, without the last, of a container, which share one dilation."""

    container: nn.Sequential
    start: int
    stop: int
    dilation: int


def _find_runs(model: nn.Module) -> list[_Run]:
    """Runs of one dilation greater than 1, the last of a container first, so that a rewrite leaves the others' places."""
    runs = []
    for container in model.modules():
        if isinstance(container, nn.Sequential):
            start = 0
            for dilation, layers in groupby(map(_dilation, container)):
                stop = start + len(list(layers))
                if dilation > 1:
                    runs.append(_Run(container, start, stop, dilation))
                start = stop
    return runs[::-1]


def _run_shapes(model: nn.Module, runs: list[_Run], options: Options) -> dict[_Run, torch.Size]:
    """The shape of the feature map that every run gets for a batch of `options.input_shape`."""
    first = {run: run.container[run.start] for run in runs}
    shapes = input_shapes(model, first.values(), options)
    return {run: shapes[layer] for run, layer in first.items() if layer in shapes}


def _known_times(layers: list[nn.Module], dilation: int, shape: torch.Size, options: Options) -> dict[str, float]:
    """As `_time_layouts`, which runs for what is not remembered only."""
    kernel = _first_kernel(layers)
    convs = [str(layer) for module in layers[:_SAMPLE] for layer in module.modules() if not [*layer.children()]]
    return options.measurements.get(
        f'dilation {dilation} of {tuple(shape)} {kernel.dtype}, channels last {_is_channels_last(kernel)}: {"; ".join(convs)}',
        ('dilated', *LAYOUTS),
        kernel.device,
        lambda: _time_layouts(layers, dilation, shape),
    )


@torch.inference_mode()
def _time_layouts(layers: list[nn.Module], dilation: int, shape: torch.Size) -> dict[str, float]:
    """Seconds of a run as it is, 'dilated', and in each layout. A long run is judged by its beginning."""
    layers = layers[:_SAMPLE]
    kernel = _first_kernel(layers)
    x = torch.rand(shape, dtype=kernel.dtype, device=kernel.device)
    x = x.contiguous(memory_format=torch.channels_last if _is_channels_last(kernel) else torch.contiguous_format)
    runs: dict[str, nn.Module] = {layout: PhaseRun(layers, dilation, layout) for layout in LAYOUTS}
    runs['dilated'] = nn.Sequential(*layers)
    return best_seconds({name: partial(run, x) for name, run in runs.items()}, x.device)


def _first_kernel(layers: list[nn.Module]) -> Tensor:
    conv = _conv_of(layers[0])
    assert conv is not None  # it is a layer of a run
    return conv.weight


def _is_channels_last(kernel: Tensor) -> bool:
    return not kernel.is_contiguous()
