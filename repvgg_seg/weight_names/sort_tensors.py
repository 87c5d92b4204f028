"""Recognises the family of a checkpoint by its names, and sorts its tensors under official names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmengine.logging import print_log
from torch import Tensor

from ..errors import InputError
from .family import Family
from .known_families import FAMILIES, TO_READ
from .official import AUXILIARY, OFFICIAL_PLUS


@dataclass
class Weights:
    """The tensors of a checkpoint, sorted.

    Args:
        backbone: the tensors of the body, under official names.
        classifier: `weight` and `bias` of the linear layer, where the checkpoint has them.
        auxiliary: the tensors of the auxiliary classifiers of RepVGGplus, under official names.
        others: all other tensors, such as those of a segmentor's heads, under their own names without a wrapper's
            prefix.
    """

    backbone: dict[str, Tensor] = field(default_factory=dict)
    classifier: dict[str, Tensor] = field(default_factory=dict)
    auxiliary: dict[str, Tensor] = field(default_factory=dict)
    others: dict[str, Tensor] = field(default_factory=dict)

    @property
    def rest(self) -> dict[str, Tensor]:
        """All tensors outside the body; those of the linear layer as `linear.weight` and `linear.bias`."""
        linear = {f'linear.{name}': tensor for name, tensor in self.classifier.items()}
        return linear | self.auxiliary | self.others


# Where files keep their tensors; the averaged ones first.
_WRAPPERS = (
    'state_dict_ema',
    'model_ema',
    'ema',
    'state_dict',
    'model_state_dict',
    'model_state',
    'model',
    'net',
    'network',
    'module',
    'weights',
)
_DEEPEST = 20  # dicts inside one another; a damaged file may hold one that holds itself
# What DDP and averaged models, torch.compile, FSDP and activation checkpointing put into the names of a model inside them.
_INSERTED = ('module', '_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module')
_AVERAGED = ('n_averaged', 'steps')  # what torch's and mmengine's averaged models count, beside `module`


def unwrap(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a checkpoint, taken out of `state_dict`, `model`, `ema` and the like; other values are left out.

    They may be at any depth. Averaged weights are preferred to the last ones: they are what their authors evaluate.
    """
    for _ in range(_DEEPEST):
        present = [key for key in _WRAPPERS if isinstance(checkpoint.get(key), Mapping)]
        if not present:
            return {name: v for name, v in checkpoint.items() if isinstance(v, Tensor) and isinstance(name, str)}
        if len(present) > 1:
            print_log(f'of {", ".join(present)} in the checkpoint, {present[0]} is used', 'current')
        checkpoint = checkpoint[present[0]]
    return {}


def bare_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that they have without DDP, weight averaging and torch.compile around the model."""
    counters = {
        name
        for name in tensors
        if name.endswith(_AVERAGED) and any(other.startswith(f'{_owner(name)}module.') for other in tensors)
    }
    return {
        '.'.join(part for part in name.split('.') if part not in _INSERTED): tensor
        for name, tensor in tensors.items()
        if name not in counters
    }


def _owner(name: str) -> str:
    """The name of a tensor without its last part: 'a.b.' of 'a.b.c', '' of 'c'."""
    return name[: name.rfind('.') + 1]


def sort_weights(checkpoint: Mapping[str, Any]) -> Weights | None:
    """Recognise the family of a checkpoint by its names, with any prefix, and sort its tensors.

    Returns:
        None where the checkpoint has no RepVGG of a known family.

    Raises:
        InputError: more than one RepVGG in it.
    """
    tensors = bare_names(unwrap(checkpoint))
    for family in TO_READ:
        kernels = filter(None, map(family.kernel_pattern.fullmatch, tensors))
        prefixes = sorted({match[1] for match in kernels})
        if len(prefixes) > 1:
            raise InputError(
                f'this checkpoint holds several RepVGGs, under {", ".join(map(repr, prefixes))}: save one of them alone'
            )
        if prefixes:
            return _sort(tensors, family, prefixes[0])
    return None


def _sort(tensors: Mapping[str, Tensor], family: Family, prefix: str) -> Weights:
    """Sort tensors whose body's names begin with `prefix`; the classifier's do without a last `backbone.` in it."""
    outer = prefix.removesuffix('backbone.')
    auxiliary = tuple(outer + name for name in AUXILIARY)
    weights, body = Weights(), {}
    for key, tensor in tensors.items():
        if key.startswith(f'{outer}{family.classifier}.'):
            weights.classifier[key.removeprefix(f'{outer}{family.classifier}.')] = tensor
        elif key.startswith(auxiliary):
            weights.auxiliary[key.removeprefix(outer)] = tensor
        elif key.startswith(prefix):
            body[key.removeprefix(prefix)] = tensor
        else:
            weights.others[key.removeprefix(outer)] = tensor
    weights.backbone = {official: body[name] for name, official in family.all_to_official(body).items()}
    return weights


def to_checkpoint(weights: Weights, family: str, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """The checkpoint that the code of a family would write; the tensors are the same objects.

    Args:
        weights: a backbone with or without a classifier. `others` have no names in other families and are left out.
        family: a key of `FAMILIES`.
        meta: facts for the families that keep such beside the tensors.

    Raises:
        InputError: a RepVGGplus or a kind of block for which the family has no names.
    """
    names = FAMILIES[family]
    is_plus = any('.post_se.' in name for name in weights.backbone)
    if family == 'official' and is_plus:
        names = OFFICIAL_PLUS
    auxiliary = weights.auxiliary
    if family not in ('ours', 'official'):
        auxiliary = {}
        if is_plus or 'stage0.variant' in weights.backbone:
            what = 'RepVGGplus' if is_plus else "blocks of other branches than RepVGG's in training form"
            raise InputError(f'{family} has no names for {what}: convert to ours or official')
    linear = {f'linear.{name}': tensor for name, tensor in weights.classifier.items()}
    official = weights.backbone | linear
    tensors = {theirs: official[name] for name, theirs in names.all_from_official(official).items()} | auxiliary
    return dict(meta=meta or {}, state_dict=tensors) if names.wrapped else tensors
