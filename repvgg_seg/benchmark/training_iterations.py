"""Whole iterations of training: our block and head, or those from elsewhere (peers) in their places."""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.structures import PixelData
from mmseg.models import BaseSegmentor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

from ..errors import InputError
from ..models import RepVGGClassifier
from ..models.block import RepVGGBlock
from ..models.image_channels import image_channels
from ..models.memory_format import MEMORY_FORMATS, to_channels_last
from .networks import replace_blocks, unfold_heads
from .subject import Subject


def training_subjects(
    name: str,
    cfg: Config,
    batch: int,
    size: tuple[int, int],
    device: torch.device,
    peer: type[nn.Module] | None,
    dtype: torch.dtype = torch.float32,
    mmseg_head: bool = False,
) -> Iterator[Subject]:
    """Forward, loss, backward and step of a segmentor or a classifier, in both memory formats.

    Args:
        name: name of the rows.
        cfg: config of the model.
        batch: number of random images.
        size: (height, width) of the images in pixels.
        device: where it trains.
        peer: a block to compare ours with, as `load_peer` returns it; None for ours alone.
        dtype: number type of the forward pass, by autocast where it is not float32.
        mmseg_head: whether the peer has the head of PSPNet as mmseg computes it.

    Raises:
        InputError: `mmseg_head` for a config without our head.
    """
    for side in ('ours', 'peer') if peer is not None or mmseg_head else ('ours',):
        for memory_format in MEMORY_FORMATS:
            torch.manual_seed(0)
            model = revert_sync_batchnorm(MODELS.build(cfg.model))
            if side == 'peer' and peer is not None:
                replace_blocks(model, partial(_peer_of, peer=peer))
            if side == 'peer' and mmseg_head and not unfold_heads(model):
                raise InputError(f'--mmseg-head: {name} has no FoldedPSPHead; name one of our PSPNet configs')
            if memory_format == 'channels_last':
                to_channels_last(model)
            model.to(device).train()
            form = f'{side}, {memory_format.replace("_", " ")}'
            shape = (batch, image_channels(model), *size)
            yield Subject(name, form, _iteration(model, shape, device, dtype), batch, model, size=size)


def load_peer(place: str) -> type[nn.Module]:
    """The class of a block from 'FILE:CLASS'.

    The class takes in_channels, out_channels, stride, padding, dilation, groups and norm_cfg.

    Raises:
        InputError: there is no such file or class.
    """
    path, _, name = place.rpartition(':')
    spec = importlib.util.spec_from_file_location('peer', path)
    if not Path(path).is_file() or spec is None or spec.loader is None:
        raise InputError(f'peer must be FILE:CLASS with a Python file, got {place!r}')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise InputError(f'peer: {path} has no class {name!r}')
    return getattr(module, name)


def _peer_of(block: RepVGGBlock, peer: type[nn.Module]) -> nn.Module:
    """A peer with the arguments of a RepVGG block."""
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


def _iteration(
    model: BaseSegmentor | RepVGGClassifier,
    shape: tuple[int, int, int, int],
    device: torch.device,
    dtype: torch.dtype,
) -> Callable[[], None]:
    """One iteration on random images and labels, to be called again and again."""
    image = torch.rand(shape, device=device)
    samples: torch.Tensor | list[SegDataSample]
    if isinstance(model, RepVGGClassifier):
        samples = torch.randint(0, model.linear.out_features, shape[:1], device=device)
    else:
        labels = torch.randint(0, model.num_classes, (shape[0], 1, *shape[2:]), device=device)
        samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=1e-4)

    def iteration() -> None:
        """Forward, loss, backward and step."""
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            losses = model(image, samples, mode='loss')
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        optimizer.step()
        optimizer.zero_grad()  # as mmengine does it: no gradients are held in the next forward pass

    iteration()  # from here on the optimizer holds what it accumulates, which would count as memory of one iteration
    return iteration
