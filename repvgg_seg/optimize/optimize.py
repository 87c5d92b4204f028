"""The whole segmentor rewritten for inference: the same logits in less time and memory."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..errors import InputError
from ..measure.timing import held_bytes, peak_memory
from ..models.block import unwrap_model
from .passes import PASSES
from .passes.dilation import FORMS
from .passes.memory_format import MEMORY_FORMATS

DTYPES = dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16)
_ALGEBRA = ('fusion', 'conv_bn', 'strip', 'pyramid', 'ending')


@dataclass(frozen=True)
class Options:
    """What the passes are asked for; see `optimize_for_inference`."""

    input_shape: 'tuple[int, int, int, int]' = (1, 3, 512, 512)
    dtype: torch.dtype = torch.float32
    memory_format: str = 'auto'
    dilation: str = 'auto'
    compile: bool = False
    memory_limit: int = 0

    def example(self, model: nn.Module) -> Tensor:
        """A random batch to measure with, on the device of the model."""
        return torch.rand(self.input_shape, device=next(model.parameters()).device)


def optimize_for_inference(
    model: nn.Module,
    *,
    input_shape: 'tuple[int, int, int, int]' = (1, 3, 512, 512),
    dtype: 'str | torch.dtype' = 'fp32',
    memory_format: str = 'auto',
    dilation: str = 'auto',
    compile: bool = False,
    skip: 'Iterable[str]' = (),
    inplace: bool = False,
) -> nn.Module:
    """Rewrite a segmentor by algebra: one that computes the same logits faster and is called the same way.

    In turn: RepVGG blocks fused, BNs folded into convs, auxiliary heads and dropout removed, the pyramid of a PSP head
    folded into its conv, a shorter way from logits to labels, number type, memory format, 3x3 convs by Winograd's
    algorithm on a CPU, dilated runs undilated, compilation. Every pass logs a line on what it changed. The result cannot be trained. It takes images of any size.

    Args:
        model: an mmseg segmentor, also wrapped for distributed training; any other `nn.Module` gets the passes that fit.
        input_shape: (N, 3, H, W) of the images for which the choices are measured: 'auto', and which convs gain by Winograd.
        dtype: 'fp32', 'bf16' or 'fp16', or torch's own; images and logits stay in fp32.
        memory_format: 'channels_first', 'channels_last', or 'auto', the faster on the device of the model.
        dilation: runs of dilated layers as 'batch' or 'gutter' phase images, 'dilated' as they are, or 'auto', the fastest.
        compile: torch.compile the backbone and the parts of the head.
        skip: names of passes to leave out, of `repvgg_seg.optimize.PASSES`.
        inplace: rewrite the model itself. Otherwise it stays as it is and a copy is returned.

    Returns:
        The model in eval mode, without gradients.

    Raises:
        InputError: an argument out of its range, or a model in which nothing can be rewritten.
    """
    options = Options(_shape(input_shape), _dtype(dtype), memory_format, dilation, compile)
    _check_one_of('memory_format', memory_format, ('auto', *MEMORY_FORMATS))
    _check_one_of('dilation', dilation, ('auto', 'dilated', *FORMS))
    skip = tuple(skip)
    for name in skip:
        _check_one_of('skip', name, PASSES)
    model = unwrap_model(model)
    optimized = model if inplace else copy.deepcopy(model)
    optimized.eval()
    changed = set()
    for name, rewrite in PASSES.items():
        if name == 'conv_bn' and 'winograd' not in skip and next(optimized.parameters()).device.type == 'cpu':
            options = replace(options, memory_limit=_memory(optimized, options))
        said = '' if name in skip else rewrite(optimized, options)
        if said:
            changed.add(name)
            print_log(f'optimize: {name}: {said}', logger='current')
        if name == _ALGEBRA[-1] and not changed and not skip:
            raise InputError(
                f'nothing to rewrite in this {type(model).__name__}: no RepVGG block in training form, no BN behind a conv, '
                'no auxiliary head and no PSP head (it may be optimized already)'
            )
    optimized.register_forward_pre_hook(_refuse_training, with_kwargs=True)
    return optimized


@torch.inference_mode()
def _memory(model: nn.Module, options: Options) -> int:
    """Bytes that a model holds in use, weights and activations: the rewrites that trade memory for speed stay below that."""
    image = options.example(model)
    return held_bytes(model) + peak_memory(lambda: model(image), image.device)


def _shape(value) -> 'tuple[int, int, int, int]':
    shape = tuple(value)
    if len(shape) != 4 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise InputError(f'input_shape must be four positive integers, (N, 3, H, W), got {value!r}')
    return shape


def _dtype(value: 'str | torch.dtype') -> torch.dtype:
    if value in DTYPES.values():
        return value
    _check_one_of('dtype', value, DTYPES)
    return DTYPES[value]


def _check_one_of(name: str, value, allowed: 'Iterable[str]') -> None:
    if value not in allowed:
        raise InputError(f'{name} must be one of {", ".join(allowed)}, got {value!r}')


def _refuse_training(module: nn.Module, args: tuple, kwargs: dict) -> None:
    modes = [value for value in (*args, *kwargs.values()) if isinstance(value, str)]
    if module.training or 'loss' in modes:
        raise InputError(
            'an optimized model is for inference only and cannot be trained: call eval(), or train the model it was made from'
        )
