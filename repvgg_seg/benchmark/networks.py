"""Segmentors and classifiers, each in several forms (paper, Tables 4, 5 and 8)."""

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmseg.registry import MODELS
from torch import nn

from ..errors import InputError
from ..measure.flops import Count, count
from ..models.block import RepVGGBlock, find_blocks
from ..models.reparameterize import reparameterize_model
from ..models.replace_module import replace_module
from ..models.unfold_heads import unfold_heads
from ..optimize.optimize import optimize_for_inference
from ..optimize.options import Options
from ..optimize.passes.compile import compile_parts
from ..optimize.passes.conv_bn import fold_conv_bn
from ..optimize.passes.dtype import cast
from ..optimize.passes.pyramid import fold_pyramid
from ..optimize.passes.repvgg_fusion import fuse_repvgg
from ..optimize.passes.strip import strip_training
from ..reports.benchmark_table import Row
from .baselines import BASELINES, build_baseline
from .subject import Subject

FORMS = ('training', 'fused', 'optimized')


def build_segmentor(cfg: Config) -> nn.Module:
    """The segmentor of a config with random weights, in eval mode; its speed does not depend on them."""
    return revert_sync_batchnorm(MODELS.build(cfg.model)).eval()


def build_classifier(name: str, **kwargs: object) -> nn.Module:
    """'RepVGG-B1g2' or another RepVGG, or one of `BASELINES`, with random weights, in eval mode.

    Args:
        name: of the network.
        kwargs: further arguments of `RepVGGClassifier`.

    Raises:
        InputError: an unknown name, or a baseline whose library is not installed.
    """
    if name.startswith('RepVGG-'):
        model = MODELS.build(dict(type='RepVGGClassifier', arch=name.removeprefix('RepVGG-'), **kwargs))
    elif name in BASELINES:
        model = build_baseline(name)
    else:
        raise InputError(f'model must be RepVGG-ARCH or one of {", ".join(BASELINES)}, got {name!r}')
    return model.eval()


def in_form(model: nn.Module, form: str, options: Options) -> nn.Module:
    """A copy of a model in one of `FORMS`.

    'fused' means that each RepVGG block is one conv or, in a model without such blocks, that every BN is folded, as for
    the baselines of the paper. In both it and 'training' the head of PSPNet is computed as mmseg does.

    Args:
        model: in eval mode.
        form: one of `FORMS`.
        options: number type and compilation of every form; the rest is for the optimized form.
    """
    if form == 'optimized':
        return optimize_for_inference(
            model,
            input_shape=options.input_shape,
            dtype=options.dtype,
            memory_format=options.memory_format,
            dilation=options.dilation,
            compile=options.compile,
            memory=options.memory,
            measure_anew=options.measure_anew,
        )
    twin = copy.deepcopy(model)
    unfold_heads(twin)
    if form == 'fused' and find_blocks(twin):
        twin = reparameterize_model(twin, inplace=True)
    elif form == 'fused':
        twin, _ = fold_conv_bn(twin, options)
    for rewrite in (cast, compile_parts):
        twin, _ = rewrite(twin, options)
    return twin


def count_form(model: nn.Module, form: str, input_shape: tuple[int, int, int, int]) -> Count:
    """Count one example of a model in one of `FORMS`; a conv counts by its definition, whichever algorithm computes it."""
    options = Options((1, *input_shape[1:]))
    twin = copy.deepcopy(model).to('meta')  # without storage: counting computes nothing
    if form == 'optimized':
        for rewrite in (fuse_repvgg, fold_conv_bn, strip_training, fold_pyramid):
            twin, _ = rewrite(twin, options)
    else:
        twin = in_form(twin, form, options)
    return count(twin, torch.empty(options.input_shape, device='meta'))


def network_subjects(
    name: str,
    model: nn.Module,
    forms: Iterable[str],
    options: Options,
    mode: str | None = None,
    paper: Row | None = None,
) -> Iterator[Subject]:
    """A network in several forms, each called on one random batch of `options.input_shape`.

    Args:
        name: name of the rows.
        model: in eval mode.
        forms: some of `FORMS`.
        options: the input shape, and how the forms are made.
        mode: mode of the call, 'tensor' or 'predict' for a segmentor; None for a network without modes.
        paper: figures of the paper for this network.
    """
    image = options.example(model)
    kwargs = dict(mode=mode) if mode else {}
    height, width = options.input_shape[2:]
    for form in forms:
        network = in_form(model, form, options)
        call = torch.inference_mode()(partial(network, image, **kwargs))
        counted = count_form(model, form, options.input_shape)
        yield Subject(name, form, call, len(image), network, counted, paper or {}, (height, width))


def replace_blocks(model: nn.Module, replacement: Callable[[RepVGGBlock], nn.Module]) -> None:
    """Put another module in the place of every RepVGG block of a model, in place."""
    for block in find_blocks(model):
        replace_module(model, block, replacement(block))
