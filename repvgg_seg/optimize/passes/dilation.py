"""Pass: a run of dilated 3x3 convs becomes a run of undilated ones over phase images, where that pays.

With stride 1 and one dilation d, the pixels of one phase (row mod d, column mod d) never meet those of another. The d * d
phase images either stack in the batch (batch form) or lie side by side in one image with a zero row and column
between them (gutter form), set back to zero before every 3x3 conv. What is pointwise in between does not care.
Libraries have their fastest algorithm, Winograd, for undilated convs alone, which is what the paper's section 4.3 regrets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from mmseg.models.backbones.resnet import Bottleneck
from torch import Tensor, nn

from ...measure.timing import best_seconds
from ...models.block import RepVGGBlock
from ..phase_images import BatchPhases, GutterPhases

FORMS = ('batch', 'gutter')
_WORTH_IT = 0.97  # of the time of the dilated run: less of a gain is noise
_SAMPLE = 2  # layers of a run that are timed


def undilate(model: nn.Module, options) -> str:
    """Rewrite the runs of dilated layers, in place, into the form of `options.dilation`.

    'auto' times the run and both forms on the device at hand, at the size that the run sees for an image of
    `options.input_shape`, and keeps the fastest.
    """
    runs = _find_runs(model)
    shapes = _input_shapes(model, runs, options) if options.dilation == 'auto' and runs else {}
    said = []
    for run in runs:
        layers = list(run.container)[run.start : run.stop]
        form, times = options.dilation, {}
        if form == 'auto':
            times = _time_forms(layers, run.dilation, shapes[run])
            form = min(FORMS, key=times.get)
            if times[form] > _WORTH_IT * times['dilated']:
                form = 'dilated'
        if form != 'dilated':
            del run.container[run.start + 1 : run.stop]
            run.container[run.start] = PhaseRun(layers, run.dilation, form)
        measured = ', '.join(f'{name} {1e3 * time:.1f} ms' for name, time in times.items())
        measured = f' (first {min(_SAMPLE, len(layers))} layers: {measured})' if measured else ''
        kept = 'left dilated' if form == 'dilated' else f'in {form} form'
        said.append(f'{len(layers)} layers of dilation {run.dilation} {kept}{measured}')
    return '; '.join(said)


class PhaseRun(nn.Module):
    """Layers of one dilation, computed undilated over the phase images, (N, C, H, W) -> (N, C_out, H, W), any size.

    Args:
        layers: consecutive layers, RepVGG blocks in deploy form or bottlenecks.
        dilation: of all their 3x3 convs.
        form: 'batch' or 'gutter'.
    """

    def __init__(self, layers: 'list[nn.Module]', dilation: int, form: str):
        super().__init__()
        self.layers = nn.ModuleList(_LAYERS[type(layer)][1](layer) for layer in layers)
        self.dilation = dilation
        self.phases = BatchPhases if form == 'batch' else GutterPhases

    def forward(self, x: Tensor) -> Tensor:
        phases = self.phases(self.dilation, x.shape[2:])
        x = phases.enter(x)
        for layer in self.layers:
            x = layer(x, phases.clear)
        return phases.leave(x)


class _PhaseConv(nn.Module):
    """A deployed RepVGG block, computed on phase images."""

    def __init__(self, block: RepVGGBlock):
        super().__init__()
        self.conv = _undilated(block.rbr_reparam)

    def forward(self, x: Tensor, clear: 'Callable[[Tensor], None]') -> Tensor:
        clear(x)
        return F.relu(self.conv(x), inplace=True)


class _PhaseBottleneck(nn.Module):
    """A bottleneck of a ResNet, computed on phase images."""

    def __init__(self, block: Bottleneck):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = block.conv1, _undilated(block.conv2), block.conv3
        self.norm1, self.norm2, self.norm3 = block.norm1, block.norm2, block.norm3
        self.shortcut = block.downsample or nn.Identity()

    def forward(self, x: Tensor, clear: 'Callable[[Tensor], None]') -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        clear(out)
        out = F.relu(self.norm2(self.conv2(out)), inplace=True)
        return F.relu(self.norm3(self.conv3(out)).add_(self.shortcut(x)), inplace=True)


def _undilated(conv: nn.Conv2d) -> nn.Conv2d:
    """A conv over the same parameters with dilation and padding 1."""
    twin = nn.Conv2d(
        conv.in_channels, conv.out_channels, 3, padding=1, groups=conv.groups, bias=conv.bias is not None, device='meta'
    )
    twin.weight, twin.bias = conv.weight, conv.bias
    return twin.eval()


def _conv_of_block(block: RepVGGBlock) -> 'nn.Conv2d | None':
    return block.rbr_reparam if block.deploy and not block.plan.se else None


def _conv_of_bottleneck(block: Bottleneck) -> 'nn.Conv2d | None':
    strided = block.conv1_stride != 1 or block.conv2_stride != 1
    return None if strided or block.with_plugins else block.conv2


# What can stand in a run: how to find its 3x3 conv (None where the layer is not fit), and its form on phase images.
_LAYERS = {RepVGGBlock: (_conv_of_block, _PhaseConv), Bottleneck: (_conv_of_bottleneck, _PhaseBottleneck)}


def _dilation(layer: nn.Module) -> int:
    """The dilation of a layer that can be computed on phase images; 1 for any other."""
    conv = _LAYERS[type(layer)][0](layer) if type(layer) in _LAYERS else None
    if (
        type(conv) is not nn.Conv2d
        or conv.kernel_size != (3, 3)
        or conv.stride != (1, 1)
        or conv.padding_mode != 'zeros'
    ):
        return 1
    return conv.dilation[0] if conv.padding == conv.dilation and len(set(conv.dilation)) == 1 else 1


@dataclass(frozen=True, eq=False)
class _Run:
    container: nn.Sequential
    start: int
    stop: int
    dilation: int


def _find_runs(model: nn.Module) -> 'list[_Run]':
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


@torch.inference_mode()
def _input_shapes(model: nn.Module, runs: 'list[_Run]', options) -> 'dict[_Run, torch.Size]':
    """What every run sees of an image of `options.input_shape`."""
    shapes = {}

    def note(run):
        def hook(layer, args):
            shapes[run] = args[0].shape

        return run.container[run.start].register_forward_pre_hook(hook)

    hooks = [note(run) for run in runs]
    model(options.example(model))
    for hook in hooks:
        hook.remove()
    return shapes


@torch.inference_mode()
def _time_forms(layers: 'list[nn.Module]', dilation: int, shape: torch.Size) -> 'dict[str, float]':
    """Seconds of a run as it is and in each form; a long run is judged by its beginning."""
    layers = layers[:_SAMPLE]
    conv = _LAYERS[type(layers[0])][0](layers[0]).weight
    contiguous = conv.is_contiguous()
    x = torch.rand(shape, dtype=conv.dtype, device=conv.device)
    x = x.contiguous(memory_format=torch.contiguous_format if contiguous else torch.channels_last)
    forms = {form: PhaseRun(layers, dilation, form) for form in FORMS}
    forms['dilated'] = nn.Sequential(*layers)
    return best_seconds({form: lambda run=run: run(x) for form, run in forms.items()}, x.device)
