"""Passes on the form of the computation: number type, memory format, compilation. The model is called as before."""

import copy
from functools import partial

import torch
from torch import Tensor, nn

from ...measure.timing import best_seconds

MEMORY_FORMATS = dict(channels_first=torch.contiguous_format, channels_last=torch.channels_last)


def cast(model: nn.Module, options) -> str:
    """Compute in `options.dtype`; images go in and logits come out in fp32."""
    if options.dtype is torch.float32:
        return ''
    for part in _parts(model):
        part.to(options.dtype)
    _entry(model).register_forward_pre_hook(partial(_enter, dtype=options.dtype))
    _exit(model).register_forward_hook(_leave)
    return f'computed in {str(options.dtype).removeprefix("torch.")}'


def lay_out(model: nn.Module, options) -> str:
    """Store kernels and feature maps in `options.memory_format`.

    'auto': channels last on a CPU, whose convs copy anything else first, and for half precision on a GPU, whose matrix
    units want it; for fp32 on a GPU the faster of the two, measured.
    """
    form, measured = options.memory_format, ''
    if form == 'auto' and (next(model.parameters()).device.type == 'cpu' or options.dtype is not torch.float32):
        form = 'channels_last'
    if form == 'auto':
        times = _time_formats(model, options)
        form = min(times, key=times.get)
        measured = f' ({", ".join(f"{name} {1e3 * time:.1f} ms" for name, time in times.items())})'
    if form == 'channels_last':
        model.to(memory_format=torch.channels_last)
        _entry(model).register_forward_pre_hook(partial(_enter, memory_format=torch.channels_last))
    return f'{form.replace("_", " ")}{measured}'


def compile_parts(model: nn.Module, options) -> str:
    """Compile the backbone and the folded head with torch.compile; the first image of every size takes its time."""
    if not options.compile:
        return ''
    if not hasattr(model, 'decode_head'):
        model.compile()
        return 'the model compiled'
    model.backbone.compile()
    # mmseg calls the forward() of a head, past what compile() sets: its parts are compiled one by one.
    for part in model.decode_head.children():
        part.compile()
    return 'backbone and parts of the head compiled'


@torch.inference_mode()
def _time_formats(model: nn.Module, options) -> 'dict[str, float]':
    image = options.example(model)
    calls = {}
    for name, memory_format in MEMORY_FORMATS.items():
        twin = copy.deepcopy(model).to(memory_format=memory_format)
        calls[name] = partial(twin, image.contiguous(memory_format=memory_format))
    return best_seconds(calls, image.device, rounds=2)


def _parts(model: nn.Module) -> 'list[nn.Module]':
    """What computes: not the preprocessor of a segmentor, whose mean and deviation stay in fp32."""
    if not hasattr(model, 'backbone'):
        return [model]
    return [part for name, part in model.named_children() if name != 'data_preprocessor']


def _entry(model: nn.Module) -> nn.Module:
    return getattr(model, 'backbone', model)


def _exit(model: nn.Module) -> nn.Module:
    """What gives the logits, of a segmentor or of a classifier."""
    return getattr(getattr(model, 'decode_head', None), 'conv_seg', None) or getattr(model, 'linear', model)


def _enter(module: nn.Module, args: 'tuple[Tensor, ...]', **form) -> 'tuple[Tensor, ...]':
    return (args[0].to(**form), *args[1:])


def _leave(module: nn.Module, args: tuple, out: Tensor) -> Tensor:
    return out.float()
