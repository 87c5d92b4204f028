"""Pass 'winograd': 3x3 convs of stride 1 by Winograd's algorithm, on a CPU in fp32, where that is measured to pay.

torch computes its convs on a CPU with oneDNN, which does not run any 3x3 conv by this algorithm (seen with oneDNN 3.12, as
in torch 2.13, on x86). The convs may have any dilation: the tiles are cut from the phase images in place, so that a dilated
conv gains what an undilated one gains.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from mmengine.logging import print_log
from torch import nn

from ...measure.memory import held_bytes, peak_memory
from ...measure.spare_memory import spare_memory
from ...measure.timing import best_seconds
from ...models.dilated_conv import DilatedConv2d
from ..layer_shapes import input_shapes
from ..onednn import is_available
from ..options import Options, device_of
from ..structure import structure
from ..winograd_conv import GROWTH, WORKSPACE, WinogradConv
from .pass_definition import Need, Record

_WORTH_IT = 0.9  # of the time of the plain conv
_LEAST_CHANNELS = 16  # of a group: with fewer the transforms are most of the work
_MIB = 2**20


@dataclass(frozen=True)
class Choice:
    """The convs that are replaced under one limit of memory, and what this gives and takes.

    Args:
        memory: the limit, as `optimize_for_inference` takes it.
        replaced: convs that run by Winograd's algorithm.
        seconds: time saved per batch, as measured conv by conv.
        extra: bytes by which the kernels grow.
    """

    memory: str | int
    replaced: int
    seconds: float
    extra: int


@dataclass(frozen=True)
class WinogradRecord(Record):
    """The convs that were replaced, the time that this saves, and the memory that it takes.

    Args:
        candidates: convs that would gain by it.
        chosen: what was done.
        other: what another value of `memory` would do.
    """

    candidates: int
    chosen: Choice
    other: Choice

    def __str__(self) -> str:
        chosen, other = self.chosen, self.other
        said = (
            f'{chosen.replaced} of the {self.candidates} 3x3 convs that gain by it, {_ms(chosen.seconds)} faster, kernels '
            f'{_mib(chosen.extra)} larger under memory={chosen.memory!r}; memory={other.memory!r} would '
        )
        if (other.replaced, other.extra) == (chosen.replaced, chosen.extra):
            return said + 'do the same'
        seconds, extra = chosen.seconds - other.seconds, chosen.extra - other.extra
        if extra > 0:
            return said + f'save {_mib(extra)} and take {_ms(seconds)} longer'
        return said + f'save {_ms(-seconds)} more and take {_mib(-extra)} more'


def _ms(seconds: float) -> str:
    return f'{1e3 * seconds:.0f} ms'


def _mib(size: int) -> str:
    return f'{size / _MIB:.0f} MiB' if size >= 10 * _MIB else f'{size / _MIB:.1f} MiB'


def measure_fused_model(model: nn.Module, options: Options) -> Options:
    """Options in which the memory that a model holds now, weights and activations, is that of the fused model."""
    return replace(options, memory_of_fused=held_bytes(model) + _peak(model, options))


# The memory of a model with a fused body and nothing else rewritten.
MEMORY_OF_FUSED_MODEL = Need(after='fusion', measure=measure_fused_model)


def can_apply_winograd(model: nn.Module, options: Options) -> bool:
    """Whether the model is on a CPU in fp32, not compiled, and oneDNN's operators work."""
    return device_of(model).type == 'cpu' and options.dtype is torch.float32 and not options.compile and is_available()


@torch.inference_mode()
def apply_winograd(
    model: nn.Module, options: Options, part: nn.Module | None = None
) -> tuple[nn.Module, WinogradRecord | None]:
    """Replace convs, in place, where that is faster at `options.input_shape`; `part` is where they are looked for.

    A kernel of 3x3 is stored as one of 6x6, four times its size. So the gain is limited: with these kernels the model
    holds no more memory, weights and activations together, than `options.memory` allows.
    """
    candidates = _candidates(model, options, model if part is None else part)
    if not candidates:
        return model, None
    held = held_bytes(model)
    peak = max(_peak(model, options), *(candidate.peak for candidate in candidates))
    limits: dict[str | int, int] = {'fused': options.memory_of_fused, 'free': _free_limit(held, options)}
    if isinstance(options.memory, int):
        limits[options.memory] = options.memory * _MIB
    fitting = {memory: _fitting(candidates, limit - held - peak) for memory, limit in limits.items()}
    choices = {memory: _choice(memory, convs) for memory, convs in fitting.items()}
    chosen = choices.pop(options.memory)
    # Of the others the one that does something else.
    other = max(choices.values(), key=lambda choice: (choice.replaced != chosen.replaced, choice.replaced))
    record = WinogradRecord(len(candidates), chosen, other)
    to_replace = fitting[options.memory]
    del candidates, fitting  # a plain kernel is freed as soon as its transform is there
    _replace(to_replace)
    return model, record


def _replace(candidates: list[_Candidate]) -> None:
    """Replace convs, in place, and empty the list; the largest come first, while the others' kernels are small still."""
    candidates.sort(key=lambda candidate: candidate.conv.weight.numel())
    workspace = torch.empty(GROWTH * candidates[-1].conv.weight.numel() if candidates else 0)
    while candidates:
        candidate = candidates.pop()
        setattr(candidate.owner, candidate.name, WinogradConv(candidate.conv, workspace))


def _free_limit(held: int, options: Options) -> int:
    """Bytes that a model, which holds `held` bytes now, may hold on this machine."""
    spare = spare_memory()
    if spare is not None:
        return held + spare
    if options.memory == 'free':
        print_log(
            "optimize: winograd: this system does not tell what memory is free: memory='fused' is used", 'current'
        )
    return options.memory_of_fused


def _fitting(candidates: Iterable[_Candidate], left: int) -> list[_Candidate]:
    """The convs to replace, those that gain most for their memory first, in no more than `left` bytes."""
    fitting = []
    for candidate in sorted(candidates, key=lambda candidate: candidate.gain / candidate.extra, reverse=True):
        if candidate.extra <= left:
            fitting.append(candidate)
            left -= candidate.extra
    return fitting


def _choice(memory: str | int, convs: list[_Candidate]) -> Choice:
    return Choice(memory, len(convs), sum(conv.gain for conv in convs), sum(conv.extra for conv in convs))


@torch.inference_mode()
def _peak(model: nn.Module, options: Options) -> int:
    """Bytes of the activations and workspaces of a model at `options.input_shape`, as measured or remembered."""

    def measure() -> dict[str, float]:
        image = options.example(model)
        return {'bytes': peak_memory(lambda: model(image), image.device)}

    what = f'peak memory of {structure(model, options)}'
    return int(options.measurements.get(what, ('bytes',), device_of(model), measure)['bytes'])


def apply_winograd_to_backbone(model: nn.Module, options: Options) -> tuple[nn.Module, WinogradRecord | None]:
    """As `apply_winograd`, for the convs of the backbone alone.

    Winograd's algorithm stores its maps channels last, which a head that takes views of them may not run on.
    """
    backbone = getattr(model, 'backbone', None)
    return apply_winograd(model, options, backbone) if isinstance(backbone, nn.Module) else (model, None)


@dataclass(frozen=True)
class _Candidate:
    """A conv that gains: seconds, bytes that its kernel grows by, and bytes held while it runs."""

    owner: nn.Module
    name: str
    conv: nn.Conv2d
    gain: float
    extra: int
    peak: int


@torch.inference_mode()
def _candidates(model: nn.Module, options: Options, part: nn.Module) -> list[_Candidate]:
    """The convs of a part of the model that gain, measured at the shapes that they see for a batch of `options.input_shape`."""
    found = [
        (owner, name, conv)
        for owner in part.modules()
        for name, conv in owner.named_children()
        if isinstance(conv, nn.Conv2d) and _is_fit(conv)
    ]
    shapes = input_shapes(model, [conv for _, _, conv in found], options)
    candidates = []
    for owner, name, conv in found:
        if conv in shapes and (gain := _gain(conv, shapes[conv], options)) > 0:
            extra = conv.weight.nbytes * (GROWTH - 1)
            out = conv.out_channels * shapes[conv].numel() // conv.in_channels
            peak = 4 * (2 * shapes[conv].numel() + out) + 2 * WORKSPACE
            candidates.append(_Candidate(owner, name, conv, gain, extra, peak))
    return candidates


def _is_fit(conv: nn.Conv2d) -> bool:
    """Whether `WinogradConv` can compute a conv, with channels enough to gain."""
    return (
        type(conv) in (nn.Conv2d, DilatedConv2d)
        and (conv.kernel_size, conv.stride, conv.padding_mode) == ((3, 3), (1, 1), 'zeros')
        and conv.padding == conv.dilation
        and len(set(conv.dilation)) == 1
        and conv.in_channels // conv.groups >= _LEAST_CHANNELS
    )


def _gain(conv: nn.Conv2d, shape: torch.Size, options: Options) -> float:
    """Seconds saved at this size; 0 where it is not worth it."""
    what = f'3x3 conv of {tuple(shape)} to {conv.out_channels}, dilation {conv.dilation[0]}, groups {conv.groups}'
    times = options.measurements.get(what, ('plain', 'winograd'), conv.weight.device, lambda: _times(conv, shape))
    return times['plain'] - times['winograd'] if times['winograd'] < _WORTH_IT * times['plain'] else 0.0


def _times(conv: nn.Conv2d, shape: torch.Size) -> dict[str, float]:
    """Seconds of a conv as it is and by Winograd's algorithm."""
    x = torch.rand(shape).contiguous(memory_format=torch.channels_last)
    winograd = WinogradConv(conv)
    return best_seconds({'plain': lambda: conv(x), 'winograd': lambda: winograd(x)}, x.device, rounds=2)
