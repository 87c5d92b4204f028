"""One family's checkpoint -> another's, compared as networks before anybody gets it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..errors import InputError, listed
from ..measure.difference import relative_error
from ..models.archs import ArchSpec, arch_name
from ..models.block import switch_to_deploy
from ..models.classifier import RepVGGClassifier
from ..models.repvgg import RepVGG
from ..models.state import is_fused, recognise_arch
from ..weight_names import Weights, sort_out, to_checkpoint, unwrap
from .load import find_backbone

LIMIT = 1e-5  # of the relative difference; rounding alone gives about 1e-6


def convert(
    checkpoint: Mapping, family: str, deploy: bool = False, backbone_only: bool = False
) -> tuple[dict, str, float]:
    """Give the weights of a classifier or a backbone the names of a family, and fuse them where that is wanted.

    A network is built from what came and another from what goes out, and both are run on the same random images.
    Where the form stays, the tensors are the very same.

    Args:
        checkpoint: of any family and form, wrapped or not.
        family: a key of `FAMILIES`.
        deploy: write the fused form.
        backbone_only: leave out whatever is not the backbone, such as a segmentor's heads.

    Returns:
        The checkpoint of that family, the name of the architecture, and the largest relative difference of a feature
        map or of the logits.

    Raises:
        InputError: no RepVGG; a fused one that is to be unfused; tensors missing, unexpected or of another shape, or
            for which the families have no names; networks that differ by more than `LIMIT`.
    """
    weights, arch = _recognise(checkpoint, backbone_only)
    if is_fused(weights.backbone) and not deploy:
        raise InputError('the weights are fused and cannot be taken apart again: --deploy writes the fused form')
    source = _build(arch, weights, is_fused(weights.backbone))
    meta = dict(arch=arch_name(arch), fused=deploy)
    if deploy and not is_fused(weights.backbone):
        fused = _build(arch, weights, deploy=False)
        switch_to_deploy(fused)
        converted = to_checkpoint(sort_out(fused.state_dict()), family, meta)
    else:
        converted = to_checkpoint(weights, family, meta)
    difference = _relative_difference(source, _build(arch, sort_out(converted), deploy))
    if not difference <= LIMIT:
        raise InputError(
            f'what came and what would be written differ by {difference:.1e}, more than {LIMIT:.0e}: look for infinite, '
            'NaN or vanishing BN variances in the weights'
        )
    return converted, arch_name(arch), difference


def _recognise(checkpoint: Mapping, backbone_only: bool) -> tuple[Weights, ArchSpec]:
    weights = sort_out(checkpoint)
    if weights is None:
        raise InputError(f'no RepVGG of any known family; found {listed(unwrap(checkpoint)) or "no tensors"}')
    arch = recognise_arch(weights.backbone)
    if arch is None:
        raise InputError('no whole RepVGG: the first layers of its five stages are not all there')
    if backbone_only:
        weights.classifier, weights.others = {}, {}
    if weights.others:
        raise InputError(
            f'there is more than a classifier: {listed(weights.others)}, for which the families have no names; '
            '--backbone-only leaves that out'
        )
    return weights, arch


def _build(arch: ArchSpec, weights: Weights, deploy: bool) -> nn.Module:
    """The classifier, or without its linear layer the backbone, that holds the weights; strictly loaded."""
    stem = weights.backbone.get('stage0.rbr_reparam.weight', weights.backbone.get('stage0.rbr_dense.conv.weight'))
    in_channels = stem.shape[1]
    if weights.classifier:
        num_classes = len(next(iter(weights.classifier.values())))
        model = RepVGGClassifier(arch, num_classes, in_channels, deploy)
    else:
        model = RepVGG(arch, in_channels, deploy=deploy)
    prefix, _ = find_backbone(model)
    model.load_state_dict({prefix + name: tensor for name, tensor in weights.backbone.items()} | weights.rest)
    return model.eval()


@torch.no_grad()
def _relative_difference(model: nn.Module, other: nn.Module) -> float:
    backbone = getattr(model, 'backbone', model)
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, backbone.stage0.plan.in_channels, 96, 64, generator=generator)
    return max(relative_error(b, a) for a, b in zip(_outputs(model, image), _outputs(other, image), strict=True))


def _outputs(model: nn.Module, image: Tensor) -> list[Tensor]:
    """Of every stage, and the logits where there are such."""
    outputs = [image]
    for stage in range(5):
        outputs.append(getattr(getattr(model, 'backbone', model), f'stage{stage}')(outputs[-1]))
    return outputs[1:] + ([model(image)] if hasattr(model, 'linear') else [])
