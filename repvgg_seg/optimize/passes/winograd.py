"""Pass 'winograd': 3x3 convs of stride 1 by Winograd's algorithm, on a CPU in fp32, where that is measured to pay.

torch computes its convs on a CPU with oneDNN, which does not run any 3x3 conv by this algorithm (seen with oneDNN 3.12, as
in torch 2.13, on x86). The convs may have any dilation: the tiles are cut from the phase images in place, so that a dilated
conv gains what an undilated one gains.
"""

from dataclasses import dataclass, replace

import torch
from torch import nn

from ...measure.memory import held_bytes, peak_memory
from ...measure.timing import best_seconds
from ..onednn import is_available
from ..options import Options, device_of
from ..winograd_conv import GROWTH, WORKSPACE, WinogradConv
from .pass_definition import Need, Record

_WORTH_IT = 0.9  # of the time of the plain conv
_LEAST_CHANNELS = 16  # of a group: with fewer the transforms are most of the work


@dataclass(frozen=True)
class WinogradRecord(Record):
    """The convs that were replaced, and the time that this saves.

    Args:
        replaced: convs that run by Winograd's algorithm now.
        candidates: convs that would gain by it.
        seconds: time saved per batch, as measured conv by conv.
    """

    replaced: int
    candidates: int
    seconds: float

    def __str__(self) -> str:
        return f'{self.replaced} of the {self.candidates} 3x3 convs that gain by it, {1e3 * self.seconds:.0f} ms faster'


@torch.inference_mode()
def limit_memory(model: nn.Module, options: Options) -> Options:
    """Options in which the memory that a model holds now, weights and activations, is the limit."""
    image = options.example(model)
    return replace(options, memory_limit=held_bytes(model) + peak_memory(lambda: model(image), image.device))


# The model may hold as much as one with a fused body and nothing else rewritten.
MEMORY_OF_FUSED_MODEL = Need(after='fusion', measure=limit_memory)


def can_apply_winograd(model: nn.Module, options: Options) -> bool:
    """Whether the model is on a CPU in fp32, not compiled, and oneDNN's operators work."""
    return device_of(model).type == 'cpu' and options.dtype is torch.float32 and not options.compile and is_available()


@torch.inference_mode()
def apply_winograd(
    model: nn.Module, options: Options, part: nn.Module | None = None
) -> tuple[nn.Module, WinogradRecord | None]:
    """Replace convs, in place, where that is faster at `options.input_shape`; `part` is where they are looked for.

    A kernel of 3x3 is stored as one of 6x6, four times its size. So the gain is limited: with these kernels the model
    holds no more memory, weights and activations together, than `options.memory_limit` bytes.
    """
    candidates = _candidates(model, options, model if part is None else part)
    if not candidates:
        return model, None
    image = options.example(model)
    peak = peak_memory(lambda: model(image), image.device)
    peak = max(peak, *(candidate.peak for candidate in candidates))
    left = options.memory_limit - held_bytes(model) - peak
    replaced, gain = 0, 0.0
    for candidate in sorted(candidates, key=lambda candidate: candidate.gain / candidate.extra, reverse=True):
        if candidate.extra <= left:
            setattr(candidate.owner, candidate.name, WinogradConv(candidate.conv))
            left -= candidate.extra
            replaced += 1
            gain += candidate.gain
    return model, WinogradRecord(replaced, len(candidates), gain) if replaced else None


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
    shapes: dict[nn.Module, torch.Size] = {}
    hooks = [
        conv.register_forward_pre_hook(lambda conv, args: shapes.update({conv: args[0].shape})) for _, _, conv in found
    ]
    model(options.example(model))
    for hook in hooks:
        hook.remove()
    gains: dict[tuple[object, ...], float] = {}
    candidates = []
    for owner, name, conv in found:
        if conv not in shapes:
            continue
        key = (shapes[conv], conv.out_channels, conv.groups, conv.dilation)
        if key not in gains:
            gains[key] = _gain(conv, shapes[conv])
        if gains[key] > 0:
            extra = conv.weight.nbytes * (GROWTH - 1)
            out = conv.out_channels * shapes[conv].numel() // conv.in_channels
            peak = 4 * (2 * shapes[conv].numel() + out) + 2 * WORKSPACE
            candidates.append(_Candidate(owner, name, conv, gains[key], extra, peak))
    return candidates


def _is_fit(conv: nn.Conv2d) -> bool:
    """Whether `WinogradConv` can compute a conv, with channels enough to gain."""
    return (
        type(conv) is nn.Conv2d
        and (conv.kernel_size, conv.stride, conv.padding_mode) == ((3, 3), (1, 1), 'zeros')
        and conv.padding == conv.dilation
        and len(set(conv.dilation)) == 1
        and conv.in_channels // conv.groups >= _LEAST_CHANNELS
    )


def _gain(conv: nn.Conv2d, shape: torch.Size) -> float:
    """Seconds saved at this size; 0 where it is not worth it."""
    x = torch.rand(shape).contiguous(memory_format=torch.channels_last)
    winograd = WinogradConv(conv)
    times = best_seconds({'plain': lambda: conv(x), 'winograd': lambda: winograd(x)}, x.device, rounds=2)
    return times['plain'] - times['winograd'] if times['winograd'] < _WORTH_IT * times['plain'] else 0.0
