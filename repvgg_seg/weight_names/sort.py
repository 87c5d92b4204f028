"""The tensors of a checkpoint of any family, recognised by their names and sorted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmengine.logging import print_log
from torch import Tensor

from ..errors import InputError
from .family import Family
from .mmpretrain import MMPRETRAIN
from .official import OFFICIAL, OURS
from .timm import TIMM

FAMILIES: dict[str, Family] = dict(ours=OURS, official=OFFICIAL, timm=TIMM, mmpretrain=MMPRETRAIN)


@dataclass
class Weights:
    """The tensors of a checkpoint, sorted out.

    Args:
        family: which names it had, a key of `FAMILIES`.
        backbone: the body's, under official names.
        classifier: `weight` and `bias` of the linear layer, as far as they are there.
        others: everything else under its own name, such as a segmentor's heads, without the wrappers' prefix.
    """

    family: str
    backbone: dict[str, Tensor] = field(default_factory=dict)
    classifier: dict[str, Tensor] = field(default_factory=dict)
    others: dict[str, Tensor] = field(default_factory=dict)

    @property
    def rest(self) -> dict[str, Tensor]:
        """All that is not the body's; the linear layer's as `linear.`."""
        return {f'linear.{name}': tensor for name, tensor in self.classifier.items()} | self.others


_WRAPPERS = ('state_dict_ema', 'model_ema', 'ema', 'state_dict', 'model')  # the averaged weights first


def unwrap(checkpoint: Mapping) -> dict[str, Tensor]:
    """The tensors of a checkpoint out of `state_dict`, `model` or `ema`, at any depth; what is no tensor is left out.

    Where averaged weights stand beside the last ones, the averaged are taken: they are what their makers evaluate.
    """
    present = [key for key in _WRAPPERS if isinstance(checkpoint.get(key), Mapping)]
    if not present:
        return {name: value for name, value in checkpoint.items() if isinstance(value, Tensor)}
    if len(present) > 1:
        print_log(f'of {", ".join(present)} in the checkpoint, {present[0]} is used', 'current')
    return unwrap(checkpoint[present[0]])


def sort_out(checkpoint: Mapping) -> 'Weights | None':
    """Recognise the family by its names, whatever stands before them, and sort the tensors; None for no RepVGG.

    Raises:
        InputError: more than one RepVGG in it.
    """
    tensors = unwrap(checkpoint)
    for name in ('official', 'timm', 'mmpretrain'):
        kernels = filter(None, map(FAMILIES[name].kernel_pattern.fullmatch, tensors))
        prefixes = sorted({match[1] for match in kernels})
        if len(prefixes) > 1:
            raise InputError(
                f'this checkpoint holds several RepVGGs, under {", ".join(map(repr, prefixes))}: save one of them alone'
            )
        if prefixes:
            return _sort(tensors, name, prefixes[0])
    return None


def _sort(tensors: Mapping[str, Tensor], name: str, prefix: str) -> Weights:
    """`prefix` is what stands before the body's names; without a last `backbone.`, what stands before all."""
    family = FAMILIES[name]
    outer = prefix.removesuffix('backbone.')
    weights = Weights(name)
    for key, tensor in tensors.items():
        if key.startswith(f'{outer}{family.classifier}.'):
            weights.classifier[key.removeprefix(f'{outer}{family.classifier}.')] = tensor
        elif key.startswith(prefix):
            weights.backbone[family.to_official(key.removeprefix(prefix))] = tensor
        else:
            weights.others[key.removeprefix(outer)] = tensor
    return weights


def to_checkpoint(weights: Weights, family: str, meta: 'dict | None' = None) -> dict:
    """The checkpoint that a family would write; the tensors themselves are not touched.

    Args:
        weights: of a backbone, with or without a classifier. `others` have no names in another family and are left out.
        family: a key of `FAMILIES`.
        meta: what stands beside the tensors in the families that keep such.
    """
    names = FAMILIES[family]
    linear = {f'linear.{name}': tensor for name, tensor in weights.classifier.items()}
    tensors = {names.from_official(name): tensor for name, tensor in (weights.backbone | linear).items()}
    return dict(meta=meta or {}, state_dict=tensors) if names.wrapped else tensors
