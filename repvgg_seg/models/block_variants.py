"""The variants of the RepVGG block, as data: which branches, and where the norm sits (paper, section 4.2, Tables 6 and 7).

Standard library only.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import InputError, closest_names

# Every branch that a block may have, with the name of its module, in the order in which they are built and added.
BRANCHES = {
    '3x3': 'rbr_dense',
    '1x1': 'rbr_1x1',
    '1x3': 'rbr_1x3',
    '3x1': 'rbr_3x1',
    'identity': 'rbr_identity',
}
KERNELS = ('plain', 'plus_identity', 'dirac')


@dataclass(frozen=True)
class BlockSpec:
    """What one block computes in training, up to its ReLU.

    Args:
        branches: some of `BRANCHES`; the 3x3 conv is always there, and the identity only where input and output have the same
            shape.
        without_bn: those of the branches that have no BN of their own.
        bn_after_addition: a BN behind the sum of the branches.
        relu_in_branches: a ReLU in every branch, before the addition. Such a block cannot become one conv.
        kernel: how the 3x3 kernel is computed where input and output have the same shape: 'plain', the parameter W itself;
            'plus_identity', I + W; 'dirac', diag(a) I + diag(b) W_norm (DiracNet).
        residual: a shortcut around every two layers, in training and inference, as in ResNet-18.

    Raises:
        InputError: a value of a wrong type or out of its range; the message names it.
    """

    branches: tuple[str, ...] = ('3x3', '1x1', 'identity')
    without_bn: tuple[str, ...] = ()
    bn_after_addition: bool = False
    relu_in_branches: bool = False
    kernel: str = 'plain'
    residual: bool = False

    def __post_init__(self) -> None:
        for name in ('branches', 'without_bn'):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Sequence) or not set(value) <= set(BRANCHES):
                raise InputError(f'block: {name} must be a tuple of some of {", ".join(BRANCHES)}, got {value!r}')
            object.__setattr__(self, name, tuple(branch for branch in BRANCHES if branch in value))
        if not set(self.without_bn) <= set(self.branches):
            raise InputError(
                f'block: without_bn names {self.without_bn!r}, which must be some of the branches {self.branches!r}'
            )
        if self.kernel not in KERNELS:
            raise InputError(f'block: kernel must be one of {", ".join(KERNELS)}, got {self.kernel!r}')
        for name in ('bn_after_addition', 'relu_in_branches', 'residual'):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f'block: {name} must be True or False, got {getattr(self, name)!r}')

    @property
    def number(self) -> int:
        """A number that tells this block from others, also from those whose parameters have the same names and shapes."""
        default = asdict(REPVGG)
        changed = {name: value for name, value in asdict(self).items() if value != default[name]}
        return zlib.crc32(repr(sorted(changed.items())).encode())


REPVGG = BlockSpec()
SHORTCUT = BlockSpec(branches=('1x1',))  # of a residual block whose input and output differ in shape
_PLAIN = ('3x3',)

BLOCKS: dict[str, BlockSpec] = {
    # Table 6
    'plain': BlockSpec(_PLAIN),
    'without_1x1': BlockSpec(('3x3', 'identity')),
    'without_identity': BlockSpec(('3x3', '1x1')),
    'repvgg': REPVGG,
    # Table 7
    'identity_without_bn': BlockSpec(without_bn=('identity',)),
    'bn_after_addition': BlockSpec(without_bn=('3x3', '1x1', 'identity'), bn_after_addition=True),
    'relu_in_branches': BlockSpec(relu_in_branches=True),
    'dirac': BlockSpec(_PLAIN, kernel='dirac'),
    'trivial': BlockSpec(_PLAIN, kernel='plus_identity'),
    'asymmetric': BlockSpec(('3x3', '1x3', '3x1')),
    'residual': BlockSpec(_PLAIN, residual=True),
    # not in the paper: AAAI 2024, "Make RepVGG Greater Again: A Quantization-aware Approach"
    'qarepvgg': BlockSpec(without_bn=('1x1', 'identity'), bn_after_addition=True),
}


def get_block(block: str | Mapping[str, Any] | BlockSpec) -> BlockSpec:
    """The spec of a block by its name, or of a new one by a dict of the fields of `BlockSpec`.

    Raises:
        InputError: an unknown name (the message lists the known ones), or a dict that is no spec.
    """
    if isinstance(block, str):
        if block not in BLOCKS:
            raise InputError(f'unknown block {block!r}{closest_names(block, BLOCKS)}; known: {", ".join(BLOCKS)}')
        return BLOCKS[block]
    if isinstance(block, Mapping):
        names = [field.name for field in fields(BlockSpec)]
        unknown = sorted(set(block) - set(names))
        if unknown:
            raise InputError(
                f'block as a dict has the keys {", ".join(names)}; unknown: {", ".join(map(str, unknown))}'
            )
        block = BlockSpec(**block)
    if not isinstance(block, BlockSpec):
        raise InputError(f'block must be one of {", ".join(BLOCKS)} or a dict, got {block!r}')
    if '3x3' not in block.branches:
        raise InputError(
            f"block: branches must hold '3x3', which is the conv of the fused form, got {block.branches!r}"
        )
    return block


def block_name(block: BlockSpec) -> str:
    """The name of a block in `BLOCKS`; of any other its branches, such as '3x3 + identity'."""
    return next((name for name, known in BLOCKS.items() if known == block), ' + '.join(block.branches))


def block_of_number(number: object, own: BlockSpec = REPVGG) -> BlockSpec | None:
    """The block of this number, `own` or one of `BLOCKS`; None where none has it."""
    return next((block for block in (own, *BLOCKS.values()) if block.number == number), None)


def other_block_message(found: BlockSpec | None, expected: BlockSpec) -> str:
    """The message for weights of other blocks than those of the model."""
    kind = 'of an unknown kind' if found is None else f'of the kind block={block_name(found)!r}'
    return (
        f'this checkpoint has blocks {kind}, the config says block={block_name(expected)!r}: give the model, or its backbone, '
        'the `block` that the checkpoint was trained with'
    )
