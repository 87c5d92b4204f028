"""The names that three families of code give the same tensors of a RepVGG, on names and tensors alone.

The official names are ours. Each family has its own for the stem, the stages, the parts of a block and the classifier.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mmengine.logging import print_log
from torch import Tensor

from ..errors import InputError

_OFFICIAL_PARTS = (
    'rbr_dense.conv',
    'rbr_dense.bn',
    'rbr_1x1.conv',
    'rbr_1x1.bn',
    'rbr_identity',
    'rbr_reparam',
    'se.down',
    'se.up',
)


@dataclass(frozen=True)
class Family:
    """The names of one family.

    Args:
        stem: of the first layer.
        stage: of a stage, with its number in braces.
        first_stage: number of the stage behind the stem.
        parts: of a block, in the order of the official ones.
        classifier: of the linear layer.
        body: what stands before the names of the body, but not before the classifier's.
        wrapped: whether files hold the tensors under `state_dict`, beside `meta`.
    """

    stem: str
    stage: str
    first_stage: int
    parts: tuple[str, ...]
    classifier: str
    body: str = ''
    wrapped: bool = False

    @property
    def kernel_pattern(self) -> re.Pattern:
        """Matches the name of a 3x3 kernel in either form, anywhere; group 1 is what stands before the body's names."""
        dense, fused = (self.parts[_OFFICIAL_PARTS.index(part)] for part in ('rbr_dense.conv', 'rbr_reparam'))
        place = rf'(?:{re.escape(self.stem)}|{self._stage_pattern}\.\d+)'
        return re.compile(rf'((?:[^.]+\.)*){place}\.(?:{re.escape(dense)}|{re.escape(fused)})\.weight')

    @property
    def _stage_pattern(self) -> str:
        return re.escape(self.stage).replace(r'\{\}', r'(\d)')

    def to_official(self, name: str) -> str:
        """The official name, as it stands in the body, of one of this family's; any other name comes back as it is."""
        if name.startswith(f'{self.stem}.'):
            place, part = 'stage0.', name[len(self.stem) + 1 :]
        else:
            match = re.match(rf'{self._stage_pattern}\.(\d+\.)', name)
            if not match:
                return name
            place, part = f'stage{int(match[1]) - self.first_stage + 1}.{match[2]}', name[match.end() :]
        return place + _replace_start(part, self.parts, _OFFICIAL_PARTS)

    def from_official(self, name: str) -> str:
        """This family's name, in a whole file, of a tensor of the body or of `linear`."""
        if name.startswith('linear.'):
            return _replace_start(name, ('linear',), (self.classifier,))
        stage, rest = name.split('.', 1)
        number = int(stage.removeprefix('stage'))
        place = self.stem if number == 0 else self.stage.format(number - 1 + self.first_stage)
        block, part = ('', rest) if number == 0 else re.fullmatch(r'(\d+\.)(.*)', rest).groups()
        return f'{self.body}{place}.{block}{_replace_start(part, _OFFICIAL_PARTS, self.parts)}'


def _replace_start(name: str, old: Iterable[str], new: Iterable[str]) -> str:
    for before, after in zip(old, new, strict=True):
        if name.startswith(f'{before}.'):
            return after + name[len(before) :]
    return name


FAMILIES = {
    'ours': Family('stage0', 'stage{}', 1, _OFFICIAL_PARTS, 'linear', body='backbone.', wrapped=True),
    'official': Family('stage0', 'stage{}', 1, _OFFICIAL_PARTS, 'linear'),
    'timm': Family(
        'stem',
        'stages.{}',
        0,
        (
            'conv_kxk.conv',
            'conv_kxk.bn',
            'conv_1x1.conv',
            'conv_1x1.bn',
            'identity',
            'reparam_conv',
            'attn.fc1',
            'attn.fc2',
        ),
        'head.fc',
    ),
    'mmpretrain': Family(
        'stem',
        'stage_{}',
        1,
        (
            'branch_3x3.conv',
            'branch_3x3.norm',
            'branch_1x1.conv',
            'branch_1x1.norm',
            'branch_norm',
            'branch_reparam',
            'se_layer.conv1.conv',
            'se_layer.conv2.conv',
        ),
        'head.fc',
        body='backbone.',
        wrapped=True,
    ),
}


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
