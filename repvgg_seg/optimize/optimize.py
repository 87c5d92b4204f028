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
from .options import Options, check_one_of, checked_options
from .passes import PASSES
from .passes.pass_definition import Need, Pass, Record
from .same_outputs import SameOutputs, in_one_line
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
    images. What is measured to choose by is remembered in a file of the user's cache directory. The result takes images of any
    size; it cannot be trained.

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
        measure_anew: measure once more what is remembered from earlier calls.
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
    given.eval()
    outputs = SameOutputs(given, options)
    if outputs.failure:
        print_log(
            f'optimize: the rewrites are not compared with the model, which takes no random images, neither small ones nor '
            f'those of input_shape={options.input_shape}: {outputs.failure}',
            'current',
            logging.WARNING,
        )
    try:
        found = _rewrite_at_once(given, steps, options, outputs, bool(skip))
        if found is None:
            if before is None:
                del given
                given = copy.deepcopy(model)
            else:
                before.restore()
            found = _rewrite_one_by_one(given.eval(), steps, options, outputs, bool(skip))
    finally:
        options.measurements.save()
    optimized, report = found
    optimized.__dict__['optimize_report'] = report
    optimized.register_forward_pre_hook(_refuse_training, with_kwargs=True)
    return optimized


Result = tuple[nn.Module, dict[str, Record]]


def _rewrite_at_once(
    model: nn.Module, steps: list[Pass], options: Options, outputs: SameOutputs, may_find_nothing: bool
) -> Result | None:
    """The model after all passes, compared once, and their records; None where a pass fails or something else comes out.

    Raises:
        InputError: no pass that is algebra finds anything, unless `may_find_nothing`.
    """
    report: dict[str, Record] = {}

    def run(passes: Iterable[Pass], model: nn.Module, options: Options) -> tuple[nn.Module, Options]:
        for step in passes:
            if step in steps:
                model, record = step.rewrite(model, options)
                if record is not None:
                    report[step.name] = record
            for _, need in _needs_after(step, steps):
                options = need.measure(model, options)
        return model, options

    algebra, others, not_compared = (
        [step for step in PASSES.values() if (step.is_algebra, step.is_compared) == kind]
        for kind in ((True, True), (False, True), (False, False))
    )
    try:
        rewritten, options = run(algebra, model, options)
        found = bool(report) or may_find_nothing
        if found:
            rewritten, options = run(others, rewritten, options)
            if outputs.difference(rewritten):
                return None
            rewritten, _ = run(not_compared, rewritten, options)
    except Exception:  # a network of somebody else's can raise anything where a pass runs it
        return None
    if not found:
        raise _nothing_to_rewrite(model)
    for name, record in report.items():
        _say(name, record)
    return rewritten, report


def _rewrite_one_by_one(
    model: nn.Module, steps: list[Pass], options: Options, outputs: SameOutputs, may_find_nothing: bool
) -> Result:
    """The model after the passes that leave its results as they are, compared after each pass, and their records.

    Raises:
        InputError: as `_rewrite_at_once`, and no pass was left out.
    """
    report: dict[str, Record] = {}
    left_out: list[str] = []

    def run(passes: Iterable[Pass], model: nn.Module, options: Options) -> tuple[nn.Module, Options]:
        """The model after these passes, and the options with what is measured between them; fills `report`."""
        for step in passes:
            if step in steps:
                model, record, reason = _rewrite(step, model, options, outputs)
                if reason:
                    leave_out(step, reason)
                elif record is not None:
                    report[step.name] = record
                    _say(step.name, record)
            options = measure_needs(step, model, options)
        return model, options

    def measure_needs(after: Pass, model: nn.Module, options: Options) -> Options:
        """The options with what is measured after a pass; a pass whose need cannot be measured does not run."""
        for step, need in _needs_after(after, steps):
            try:
                options = need.measure(model, options)
            except Exception as error:  # a network of somebody else's can raise anything
                steps.remove(step)
                leave_out(step, f'the model cannot run on input_shape={options.input_shape}: {in_one_line(error)}')
        return options

    def leave_out(step: Pass, reason: str) -> None:
        left_out.append(step.name)
        print_log(f'optimize: {step.name}: left out: {reason}', 'current', logging.WARNING)

    algebra = [step for step in PASSES.values() if step.is_algebra]
    rewritten, options = run(algebra, model, options)
    if not report and not left_out and not may_find_nothing:
        raise _nothing_to_rewrite(model)
    rewritten, _ = run([step for step in PASSES.values() if not step.is_algebra], rewritten, options)
    return rewritten, report


def _needs_after(step: Pass, steps: list[Pass]) -> list[tuple[Pass, Need]]:
    """What is to be measured after a pass, and the passes that need it."""
    return [(owner, need) for owner in steps for need in owner.needs if need.after == step.name]


def _nothing_to_rewrite(model: nn.Module) -> InputError:
    return InputError(
        f'nothing to rewrite in this {type(model).__name__}: no RepVGG block in training form, no BN behind a conv, '
        'no auxiliary head and no PSP head (it may be optimized already)'
    )


def _say(name: str, record: Record) -> None:
    print_log(f'optimize: {name}: {record}', logger='current')


def _rewrite(
    step: Pass, model: nn.Module, options: Options, outputs: SameOutputs
) -> tuple[nn.Module, Record | None, str]:
    """The model after a pass, and its record; or the model as it was, and why the pass cannot be used."""
    before = Snapshot(model)
    reasons = []
    for rewrite in (step.rewrite, step.narrower):
        if rewrite is None:
            continue
        try:
            rewritten, record = rewrite(model, options)
            reason = outputs.difference(rewritten) if step.is_compared else ''
        except Exception as error:  # a network of somebody else's can raise anything where a pass runs it
            reason = in_one_line(error)
        if not reason:
            return rewritten, record, ''
        reasons.append(reason)
        before.restore()
    return model, None, reasons[0]


def _refuse_training(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Hook before every forward pass of an optimized model."""
    modes = [value for value in (*args, *kwargs.values()) if isinstance(value, str)]
    if module.training or 'loss' in modes:
        raise InputError(
            'an optimized model is for inference only and cannot be trained: call eval(), or train the model it was made from'
        )
