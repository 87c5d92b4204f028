"""What the benchmark measures: segmentors, classifiers, kernel sizes, branches, training iterations."""

import copy
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..errors import InputError
from ..measure.flops import Count, count
from ..models import RepVGGClassifier
from ..models.block import RepVGGBlock, find_blocks
from ..models.memory_format import MEMORY_FORMATS, to_channels_last
from ..models.reparameterize import reparameterize_model
from ..optimize.optimize import optimize_for_inference
from ..optimize.options import Options
from ..optimize.passes import cast, compile_parts, fold_conv_bn, fold_pyramid, fuse_repvgg, strip_training
from . import paper_tables
from .baselines import BASELINES, build_baseline
from .run import Subject, on_meta

FORMS = ('training', 'fused', 'optimized')


def build_segmentor(cfg: Config) -> nn.Module:
    """The segmentor of a config with random weights, in eval mode; its speed does not depend on them."""
    return revert_sync_batchnorm(MODELS.build(cfg.model)).eval()


def in_form(model: nn.Module, form: str, options: Options) -> nn.Module:
    """A copy of a model in eval mode in one of `FORMS`, in the number type of the options, compiled where they say so.

    'fused' means that the RepVGG blocks are one conv each or, without any, that every BN is folded, as for the paper's
    baselines.
    """
    if form == 'optimized':
        return optimize_for_inference(
            model,
            input_shape=options.input_shape,
            dtype=options.dtype,
            memory_format=options.memory_format,
            dilation=options.dilation,
            compile=options.compile,
        )
    twin = copy.deepcopy(model)
    if form == 'fused' and find_blocks(twin):
        twin = reparameterize_model(twin, inplace=True)
    elif form == 'fused':
        twin, _ = fold_conv_bn(twin, options)
    twin, _ = cast(twin, options)
    twin, _ = compile_parts(twin, options)
    return twin


def count_form(model: nn.Module, form: str, input_shape: 'tuple[int, ...]') -> Count:
    """Count one example of a model in a form, convs by their definition, whichever algorithm computes them."""
    options = Options((1, *input_shape[1:]))
    twin = on_meta(model)
    if form == 'optimized':
        for rewrite in (fuse_repvgg, fold_conv_bn, strip_training, fold_pyramid):
            twin, _ = rewrite(twin, options)
    else:
        twin = in_form(twin, form, options)
    return count(twin, torch.empty(options.input_shape, device='meta'))


def network_subjects(
    name: str, model: nn.Module, forms: 'tuple[str, ...]', options: Options, mode: 'str | None' = None, **paper
) -> 'Iterator[Subject]':
    """A network in several forms, each called on one random batch of `options.input_shape`."""
    image = options.example(model)
    for form in forms:
        network = in_form(model, form, options)
        kwargs = dict(mode=mode) if mode else {}

        def call(network=network, kwargs=kwargs):
            with torch.inference_mode():
                return network(image, **kwargs)

        counted = count_form(model, form, options.input_shape)
        size = '{}x{}'.format(*options.input_shape[2:])
        yield Subject(name, form, call, len(image), network, counted, paper, size)


def build_classifier(name: str) -> nn.Module:
    """'RepVGG-B1g2' or another RepVGG, or one of `BASELINES`, in eval mode.

    Raises:
        InputError: none of these, or a baseline whose library is not installed.
    """
    if name.startswith('RepVGG-'):
        model = MODELS.build(dict(type='RepVGGClassifier', arch=name.removeprefix('RepVGG-')))
    elif name in BASELINES:
        model = build_baseline(name)
    else:
        raise InputError(f'model must be RepVGG-ARCH or one of {", ".join(BASELINES)}, got {name!r}')
    return model.eval()


def kernel_subjects(channels: int, size: int, batch: int, device: torch.device) -> 'Iterator[Subject]':
    """Convs of 1x1 to 7x7 at stride 1 (paper, Table 1)."""
    x = torch.rand(batch, channels, size, size, device=device)
    for side, paper_ms in paper_tables.KERNELS.items():
        conv = nn.Conv2d(channels, channels, side, padding=side // 2, bias=False, device=device)

        def call(conv=conv):
            with torch.inference_mode():
                return conv(x)

        counted = count(on_meta(conv), torch.empty(batch, channels, size, size, device='meta'))
        yield Subject(f'{side}x{side}', 'conv', call, batch, conv, counted, dict(paper_ms=paper_ms))


class _Branches(nn.Module):
    """A block in training form with some of its branches (paper, Table 6)."""

    def __init__(self, block: RepVGGBlock, identity: bool, one_by_one: bool):
        super().__init__()
        self.rbr_dense = block.rbr_dense
        self.rbr_1x1 = block.rbr_1x1 if one_by_one else None
        self.rbr_identity = block.rbr_identity if identity else None

    def forward(self, x: Tensor) -> Tensor:
        out = self.rbr_dense(x)
        if self.rbr_1x1 is not None:
            out = out + self.rbr_1x1(x)
        if self.rbr_identity is not None:
            out = out + self.rbr_identity(x)
        return F.relu(out, inplace=True)


def branch_subjects(arch: str, options: Options, device: torch.device) -> 'Iterator[Subject]':
    """A classifier before conversion, with and without its identity and 1x1 branches (paper, Table 6)."""
    for (identity, one_by_one), speed in paper_tables.BRANCHES.items():
        model = build_classifier(f'RepVGG-{arch}').to(device)
        _replace_blocks(model, lambda block, i=identity, o=one_by_one: _Branches(block, i, o))
        branches = ' + '.join(['3x3', *['1x1'] * one_by_one, *['identity'] * identity])
        paper = dict(paper_examples_per_s=speed) if arch == 'B0' else {}
        for subject in network_subjects(f'RepVGG-{arch}', model, ('training',), options, **paper):
            yield replace(subject, form=branches)


def training_subjects(
    name: str,
    cfg: Config,
    shape: 'tuple[int, int, int, int]',
    device: torch.device,
    peer: 'type | None',
    dtype: torch.dtype = torch.float32,
) -> 'Iterator[Subject]':
    """Whole training iterations of a segmentor or a classifier, forward, loss, backward and step, in both memory formats.

    Args:
        name: of the model.
        cfg: its config, which both blocks are built by.
        shape: (N, 3, H, W) of the random images.
        device: where it trains.
        peer: a block to put in the place of ours, as `load_peer` takes it; None for ours alone.
        dtype: of the forward pass, by autocast where it is not float32.
    """
    for block_name, block in {'our block': None, 'peer': peer}.items():
        if block_name == 'peer' and peer is None:
            continue
        for format_name in MEMORY_FORMATS:
            torch.manual_seed(0)
            model = revert_sync_batchnorm(MODELS.build(cfg.model))
            if block is not None:
                _replace_blocks(model, lambda own, block=block: _peer_of(own, block))
            if format_name == 'channels_last':
                to_channels_last(model)
            model.to(device).train()
            form = f'{block_name}, {format_name.replace("_", " ")}'
            yield Subject(name, form, _iteration(model, shape, device, dtype), shape[0], model)


def load_peer(place: str) -> type:
    """The class of a block from 'FILE:CLASS'; it takes in_channels, out_channels, stride, padding, dilation, groups, norm_cfg.

    Raises:
        InputError: no such file or class.
    """
    path, _, name = place.rpartition(':')
    if not Path(path).is_file():
        raise InputError(f'--peer must be FILE:CLASS with a Python file, got {place!r}')
    spec = importlib.util.spec_from_file_location('peer', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise InputError(f'--peer: {path} has no class {name!r}')
    return getattr(module, name)


def _peer_of(block: RepVGGBlock, peer: type) -> nn.Module:
    plan = block.plan
    return peer(
        plan.in_channels,
        plan.out_channels,
        stride=plan.stride,
        padding=plan.dilation,
        dilation=plan.dilation,
        groups=plan.groups,
        norm_cfg=dict(type='BN'),
    )


def _replace_blocks(model: nn.Module, replacement) -> None:
    for owner in list(model.modules()):
        for name, child in list(owner.named_children()):
            if isinstance(child, RepVGGBlock):
                setattr(owner, name, replacement(child))


def _iteration(model: nn.Module, shape: 'tuple[int, int, int, int]', device: torch.device, dtype: torch.dtype):
    image = torch.rand(shape, device=device)
    if isinstance(model, RepVGGClassifier):
        samples = torch.randint(0, model.linear.out_features, shape[:1], device=device)
    else:
        labels = torch.randint(0, model.num_classes, (shape[0], 1, *shape[2:]), device=device)
        samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4)

    def call():
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            losses = model(image, samples, mode='loss')
        optimizer.zero_grad(set_to_none=True)
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        optimizer.step()

    return call
