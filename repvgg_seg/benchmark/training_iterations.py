"""Whole iterations of training: our block and head, or those from elsewhere (peers) in their places."""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import MethodType

import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.structures import PixelData
from mmseg.models import BaseSegmentor
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

from ..errors import InputError
from ..models import BackboneClassifier
from ..models.block import RepVGGBlock, find_blocks
from ..models.compile_backbone import compile_backbone
from ..models.image_channels import image_channels
from ..models.loss_by_strips import LossByStrips
from ..models.memory_format import to_channels_last
from ..models.unfold_heads import unfold_heads
from .networks import replace_blocks
from .subject import Subject

Change = Callable[[nn.Module], object]


def training_subjects(
    name: str,
    cfg: Config,
    batch: int,
    size: tuple[int, int],
    device: torch.device,
    peer: type[nn.Module] | None,
    dtype: torch.dtype = torch.float32,
    mmseg_head: bool = False,
    parts: bool = False,
) -> Iterator[Subject]:
    """Forward, loss, backward and step of a segmentor or a classifier, ours and what it is compared with.

    Args:
        name: name of the rows.
        cfg: config of the model.
        batch: number of random images.
        size: (height, width) of the images in pixels.
        device: where it trains.
        peer: a block to compare ours with, as `load_peer` returns it; None for ours alone.
        dtype: number type of the forward pass, by autocast where it is not float32.
        mmseg_head: whether the peer has the heads of PSPNet as mmseg computes them.
        parts: also ours with one part changed in turn: mmseg's heads, mmseg's loss under our heads, blocks that are computed
            again in the backward pass, a compiled backbone. Blocks whose 1x1 branch is computed again are always there.

    Raises:
        InputError: `mmseg_head` or `parts` for a config without our head.
    """

    def subject(form: str, *changes: Change) -> Subject:
        torch.manual_seed(0)
        model = revert_sync_batchnorm(MODELS.build(cfg.model))
        for change in changes:
            change(model)
        model.to(device).train()
        shape = (batch, image_channels(model), *size)
        return Subject(name, form, training_iteration(model, shape, device, dtype), batch, model, size=size)

    def as_mmseg(model: nn.Module) -> None:
        if not unfold_heads(model):
            raise InputError(
                f"{name} has no FoldedPSPHead, which is compared with mmseg's: name one of our PSPNet configs"
            )

    def as_peer(model: nn.Module) -> None:
        if peer is not None:
            replace_blocks(model, partial(_peer_of, peer=peer))
        if mmseg_head:
            as_mmseg(model)

    sides: dict[str, Change] = {'ours': lambda model: None}
    if peer is not None or mmseg_head:
        sides['peer'] = as_peer
    for side, change in sides.items():
        yield subject(f'{side}, channels first', change)
        yield subject(f'{side}, channels last', change, to_channels_last)
    yield subject('ours, 1x1 branches computed again', partial(_compute_again, with_cp='1x1'))
    if parts:
        yield subject("ours with mmseg's heads", as_mmseg)
        yield subject("ours with mmseg's loss", _with_loss_of_mmseg)
        yield subject('ours, blocks computed again', partial(_compute_again, with_cp=True))
        yield subject('ours, compiled', compile_backbone)


def _with_loss_of_mmseg(model: nn.Module) -> None:
    for head in model.modules():
        if isinstance(head, LossByStrips):
            head.loss_by_feat = MethodType(BaseDecodeHead.loss_by_feat, head)  # type: ignore[method-assign]


def _compute_again(model: nn.Module, with_cp: bool | str) -> None:
    for block in find_blocks(model):
        block.with_cp = with_cp


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


def training_iteration(
    model: BaseSegmentor | BackboneClassifier,
    shape: tuple[int, int, int, int],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Callable[[], None]:
    """One iteration on random images and labels, to be called again and again."""
    image = torch.rand(shape, device=device)
    samples: torch.Tensor | list[SegDataSample]
    if isinstance(model, BackboneClassifier):
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
