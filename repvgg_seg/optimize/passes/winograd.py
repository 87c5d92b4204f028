"""Pass: 3x3 convs of stride 1 by Winograd's algorithm, where that pays.

oneDNN, which computes torch's convs on a CPU, has it for no 3x3 conv at all. Any dilation: the tiles are cut from the phase images
in place, so that a dilated conv gets what an undilated one gets.
"""

from dataclasses import dataclass

import torch
from torch import nn

from ...measure.timing import best_seconds, held_bytes, peak_memory
from ..winograd_conv import GROWTH, WORKSPACE, WinogradConv, is_available

_WORTH_IT = 0.9  # of the time of the plain conv
_LEAST_CHANNELS = 16  # of a group: with fewer the transforms are most of the work


@torch.inference_mode()
def apply_winograd(model: nn.Module, options) -> str:
    """Replace convs, in place, on a CPU in fp32 where that is faster at `options.input_shape`.

    A kernel of 3x3 is stored as one of 6x6, four times its size. So the gain is limited: with these kernels the model
    holds no more memory, weights and activations together, than `options.memory_limit` bytes.
    """
    device = next(model.parameters()).device
    if device.type != 'cpu' or options.dtype is not torch.float32 or options.compile or not is_available():
        return ''
    candidates = _candidates(model, options)
    if not candidates:
        return ''
    image = options.example(model)
    peak = peak_memory(lambda: model(image), device)
    peak = max(peak, *(candidate.peak for candidate in candidates))
    left = options.memory_limit - held_bytes(model) - peak
    replaced, gain = 0, 0.0
    for candidate in sorted(candidates, key=lambda candidate: candidate.gain / candidate.extra, reverse=True):
        if candidate.extra <= left:
            setattr(candidate.owner, candidate.name, WinogradConv(getattr(candidate.owner, candidate.name)))
            left -= candidate.extra
            replaced += 1
            gain += candidate.gain
    return (
        f'{replaced} of the {len(candidates)} 3x3 convs that gain by it, {1e3 * gain:.0f} ms faster' if replaced else ''
    )


@dataclass(frozen=True)
class _Candidate:
    """A conv that gains: seconds, bytes that its kernel grows by, and bytes held while it runs."""

    owner: nn.Module
    name: str
    gain: float
    extra: int
    peak: int


@torch.inference_mode()
def _candidates(model: nn.Module, options) -> 'list[_Candidate]':
    found = [(owner, name, conv) for owner in model.modules() for name, conv in owner.named_children() if _is_fit(conv)]
    shapes = {}
    hooks = [
        conv.register_forward_pre_hook(lambda conv, args: shapes.update({conv: args[0].shape})) for _, _, conv in found
    ]
    model(options.example(model))
    for hook in hooks:
        hook.remove()
    gains, candidates = {}, []
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
            candidates.append(_Candidate(owner, name, gains[key], extra, peak))
    return candidates


def _is_fit(conv: nn.Module) -> bool:
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
