"""The whole segmentor rewritten for inference: the same logits in less time and memory."""

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmengine.logging import print_log
from mmseg.models.backbones import ResNet
from torch import nn

from ..errors import InputError
from ..models.image_channels import image_channels
from ..models.model_wrappers import checked_model
from ..models.repvgg import RepVGG
from .options import check_one_of, checked_options
from .passes import PASSES
from .remembered_comparison import RememberedComparison
from .run_passes import rewrite_at_once, rewrite_one_by_one
from .same_outputs import SameOutputs
from .undo import Snapshot


def optimize_for_inference(
    model: nn.Module,
    *,
    input_shape: tuple[int, int, int, int] | None = None,
    dtype: str | torch.dtype = 'fp32',
    memory_format: str = 'auto',
    dilation: str = 'auto',
    compile: bool = False,
    memory: str | int = 'free',
    measure_anew: bool = False,
    skip: str | Iterable[str] = (),
    inplace: bool = False,
) -> nn.Module:
    """Rewrite a segmentor by algebra: one that computes the same logits faster and is called the same way.

    In this order: RepVGG blocks are fused, BNs folded into convs, auxiliary heads and dropout removed, the pyramid of a PSP
    head folded into its conv, the way from logits to labels shortened; then come the number type, the memory format,
    3x3 convs by Winograd's algorithm on a CPU, dilated runs undilated, and compilation. Every pass logs a line on what it
    changed, and is left out, with a warning, where the model it makes cannot run or computes something else on random
    images. What is measured to choose by, and what was compared for a model of the same structure, is remembered in a file of
    the user's cache directory. The result takes images of any size; it cannot be trained.

    Args:
        model: an mmseg segmentor, also wrapped for distributed training; any other `nn.Module` gets the passes that fit.
        input_shape: (N, C, H, W) of the images for which the choices are measured: 'auto', and which convs gain by Winograd;
            (1, C, 512, 512) by default, with the C channels that the backbone takes.
        dtype: 'fp32', 'bf16' or 'fp16', or torch's own; images and logits stay in fp32.
        memory_format: 'channels_first', 'channels_last', or 'auto', the faster on the device of the model.
        dilation: runs of dilated layers over phase images in 'batch' or 'gutter' layout, 'dilated' as they are, or 'auto',
            the fastest.
        compile: torch.compile the backbone and the parts of the head.
        memory: what the model may hold, weights and activations together, on a CPU where Winograd's algorithm trades memory
            for speed: 'free', what the machine has to spare, 'fused', no more than the fused form, or a number of MiB.
        measure_anew: measure and compare once more what is remembered from earlier calls.
        skip: name or names of passes to leave out, of `repvgg_seg.optimize.PASSES`.
        inplace: take the model apart and reuse its parts; its tensors are held until the call returns. The model that is
            returned is the one to use from then on; the given one is not. Otherwise the given model stays as it is and a
            copy is rewritten.

    Returns:
        The model in eval mode, without gradients. Its attribute `optimize_report` holds what each pass changed, a record by
        the name of the pass.

    Raises:
        InputError: an argument of a wrong type or out of its range, a model whose weights have no values (on the device
            'meta'), or one in which nothing can be rewritten.
    """
    model = checked_model(model, values=True)
    channels = image_channels(model)
    options = checked_options(
        (1, channels, 512, 512) if input_shape is None else input_shape,
        dtype,
        memory_format,
        dilation,
        compile,
        memory,
        measure_anew,
    )
    if isinstance(getattr(model, 'backbone', model), (RepVGG, ResNet)) and options.input_shape[1] != channels:
        raise InputError(f'input_shape must be (N, {channels}, H, W) for this backbone, got {input_shape!r}')
    skip = (skip,) if isinstance(skip, str) else tuple(skip) if isinstance(skip, Iterable) else (skip,)
    for name in skip:
        check_one_of('skip', name, PASSES)
    given = model if inplace else copy.deepcopy(model)
    steps = [step for step in PASSES.values() if step.name not in skip and step.applies(given, options)]
    before = Snapshot(given) if inplace else None

    def given_again() -> nn.Module:
        if before is not None:
            before.restore()
        again = copy.deepcopy(model) if before is None else model
        again.eval()  # which returns None in mmseg's ResNet
        return again

    given.eval()
    remembered = RememberedComparison(given, options, steps)
    found = None
    try:
        if remembered.passed():
            outputs = SameOutputs(given, options, is_quick=True)
            if outputs.can_compare:
                found = rewrite_at_once(given, steps, options, outputs, remembered, bool(skip))
                if found is None:
                    del given
                    given = given_again()
                else:
                    print_log(
                        'optimize: compared with the model on one small image, since a model of the same structure passed '
                        'the whole comparison before; measure_anew=True compares all',
                        'current',
                    )
        if found is None:
            outputs = SameOutputs(given, options)
            if outputs.failure:
                print_log(
                    'optimize: the rewrites are not compared with the model, which takes no random images, neither small '
                    f'ones nor those of input_shape={options.input_shape}: {outputs.failure}',
                    'current',
                    logging.WARNING,
                )
            found = rewrite_at_once(given, steps, options, outputs, remembered, bool(skip))
        if found is None:
            del given
            given = given_again()
            found = rewrite_one_by_one(given, steps, options, outputs, bool(skip))
    finally:
        options.measurements.save()
    optimized, report = found
    optimized.__dict__['optimize_report'] = report
    optimized.register_forward_pre_hook(_refuse_training, with_kwargs=True)
    return optimized


def _refuse_training(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Hook before every forward pass of an optimized model."""
    modes = [value for value in (*args, *kwargs.values()) if isinstance(value, str)]
    if module.training or 'loss' in modes:
        raise InputError(
            'an optimized model is for inference only and cannot be trained: call eval(), or train the model it was made from'
        )
