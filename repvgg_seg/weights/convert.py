"""Converts a checkpoint to the names of another family, and compares both as networks."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError, listed
from ..measure.difference import largest_relative_error
from ..models.archs import ArchSpec, arch_name
from ..models.block import switch_to_deploy
from ..models.classifier import RepVGGClassifier
from ..models.match_checkpoint import is_fused, recognise_arch, recognise_block
from ..models.repvgg import RepVGG
from ..weight_names import FAMILIES, Weights, sort_weights, to_checkpoint, unwrap
from .load_into_model import find_backbone

LIMIT = 1e-5  # of the relative error; rounding alone gives about 1e-6

_STEM_KERNELS = ('stage0.rbr_dense.conv.weight', 'stage0.rbr_reparam.weight')


def convert(
    checkpoint: Mapping[str, Any], family: str, deploy: bool = False, backbone_only: bool = False
) -> tuple[dict[str, Any], str, float]:
    """Give the weights of a classifier or a backbone the names of a family, and optionally fuse them.

    One network is built from the given checkpoint and one from the converted checkpoint, and both are run on the same
    random images. Without fusion, the tensors are the same objects.

    Args:
        checkpoint: of any family and form, wrapped or not.
        family: a key of `FAMILIES`.
        deploy: convert to the fused form.
        backbone_only: leave out all tensors outside the backbone, such as a segmentor's heads.

    Returns:
        The converted checkpoint, the name of the architecture, and the largest relative error of a feature map or of
        the logits.

    Raises:
        InputError: no dict, or no such family; no RepVGG; a fused one without `deploy`; tensors that are missing, unexpected or of another shape,
            or that have no names in the families; networks that differ by more than `LIMIT`.
    """
    if not isinstance(checkpoint, Mapping):
        raise InputError(
            f'checkpoint must be a dict of tensors, got a {type(checkpoint).__name__}: '
            'repvgg_seg.weights.read.read_checkpoint(FILE) reads one'
        )
    if family not in FAMILIES:
        raise InputError(f'family must be one of {", ".join(FAMILIES)}, got {family!r}')
    weights = _recognised(checkpoint)
    arch = recognise_arch(weights.backbone)
    if arch is None:
        raise InputError('no complete RepVGG: kernels of its five stages are missing')
    if backbone_only:
        weights.classifier, weights.auxiliary, weights.others = {}, {}, {}
    if weights.others:
        raise InputError(
            f'there is more than a classifier: {listed(weights.others)}, for which the families have no names; '
            'backbone_only=True (--backbone-only) leaves that out'
        )
    fused = is_fused(weights.backbone)
    if fused and not deploy:
        raise InputError(
            'the weights are fused and cannot be taken apart again: deploy=True (--deploy) converts the fused form'
        )
    source = _build(arch, weights, fused)
    if deploy and not fused:
        network = _build(arch, weights, fused)
        switch_to_deploy(network)
        weights = _recognised(network.state_dict())
        weights.auxiliary = {}
    converted = to_checkpoint(weights, family, dict(arch=arch_name(arch), fused=deploy))
    error = _compared(_build(arch, _recognised(converted), deploy), source)
    if not error <= LIMIT:
        raise InputError(
            f'the given and the converted weights differ by {error:.1e}, more than {LIMIT:.0e}: look for infinite, NaN '
            'or vanishing BN variances in the weights'
        )
    return converted, arch_name(arch), error


def _recognised(checkpoint: Mapping[str, Any]) -> Weights:
    weights = sort_weights(checkpoint)
    if weights is None:
        raise InputError(f'no RepVGG of any known family; found {listed(unwrap(checkpoint)) or "no tensors"}')
    return weights


def _build(arch: ArchSpec, weights: Weights, deploy: bool) -> RepVGG | RepVGGClassifier:
    """A classifier or, without a linear layer, a backbone that holds exactly these weights."""
    stem = next(weights.backbone[name] for name in _STEM_KERNELS if name in weights.backbone)
    block = recognise_block(weights.backbone)
    if block is None:
        raise InputError(
            'the blocks of this checkpoint are of no kind that has a name, so no network can be built from it'
        )
    model: RepVGG | RepVGGClassifier
    if weights.classifier:
        num_classes = len(next(iter(weights.classifier.values())))
        aux = 0.1 if weights.auxiliary else 0.0
        model = RepVGGClassifier(arch, num_classes, stem.shape[1], deploy, block=block, aux_loss_weight=aux)
    else:
        weights.auxiliary = {}
        model = RepVGG(arch, stem.shape[1], deploy=deploy, block=block)
    prefix, _ = find_backbone(model)
    model.load_state_dict({prefix + name: tensor for name, tensor in weights.backbone.items()} | weights.rest)
    return model.eval()


@torch.no_grad()
def _compared(found: RepVGG | RepVGGClassifier, expected: RepVGG | RepVGGClassifier) -> float:
    """The largest relative error of a feature map or of the logits, on the same random images."""
    backbone = _backbone(expected)
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, backbone.plans[0].in_channels, 96, 64, generator=generator)
    return largest_relative_error(_outputs(found, image), _outputs(expected, image))


def _backbone(model: RepVGG | RepVGGClassifier) -> RepVGG:
    return model.backbone if isinstance(model, RepVGGClassifier) else model


def _outputs(model: RepVGG | RepVGGClassifier, image: Tensor) -> list[Tensor]:
    """The outputs of the five stages, and the logits of a classifier."""
    outputs = [image]
    for stage in range(5):
        outputs.append(_backbone(model).get_submodule(f'stage{stage}')(outputs[-1]))
    return outputs[1:] + ([model(image)] if isinstance(model, RepVGGClassifier) else [])
