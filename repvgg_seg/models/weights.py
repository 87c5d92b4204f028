"""Checkpoints from anywhere -> the names of this package, with nothing missing unsaid.

Works on names and tensors alone. The names of the three families are those of `REFERENCE`: the official code
(whose names are ours), timm, and mmpretrain.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from ..errors import InputError
from .arch import ARCHS, ArchSpec

_LISTED = 4  # names listed in a message


def backbone_state(
    state_dict: Mapping[str, Tensor], expected: Mapping[str, Tensor], spec: ArchSpec
) -> dict[str, Tensor]:
    """The tensors of a backbone out of a state dict that holds them under the official names.

    Args:
        state_dict: names relative to the backbone. The classifier's `linear.*` may be among them.
        expected: state dict of the backbone that is to be loaded, in training or deploy form.
        spec: architecture of that backbone.

    Returns:
        The tensors of the backbone, without the classifier's.

    Raises:
        InputError: no RepVGG at all, a RepVGG of another architecture, or tensors missing, unexpected or of another
            shape; lists them.
    """
    found = {name: tensor for name, tensor in state_dict.items() if not name.startswith('linear.')}
    if not any(re.match(r'stage\d\.', name) for name in found):
        raise InputError(
            f'no RepVGG weights in this checkpoint: wanted stage0.rbr_dense.conv.weight and so on, '
            f'found {_listed(state_dict) or "nothing"}; is it the checkpoint of another backbone?'
        )
    recognised = recognise_arch(found)
    if recognised is not None and recognised != spec:
        raise InputError(f'this checkpoint is a RepVGG-{_arch_name(recognised)}, the config says {_arch_name(spec)}')
    if is_fused(found) == is_fused(expected):
        account_for(found, expected)
    return found


def account_for(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise `InputError` unless both have the same names (but for BN's batch counters) and shapes."""
    counter = 'num_batches_tracked'
    missing = [name for name in expected if name not in found and not name.endswith(counter)]
    unexpected = [name for name in found if name not in expected and not name.endswith(counter)]
    reshaped = [
        f'{name} {tuple(found[name].shape)} in place of {tuple(tensor.shape)}'
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    kinds = (('missing', missing), ('unexpected', unexpected), ('of another shape', reshaped))
    faults = '; '.join(f'{len(names)} {kind}: {_listed(names)}' for kind, names in kinds if names)
    if faults:
        raise InputError(f'the checkpoint does not fit the model: {faults}')


def is_fused(state_dict: Mapping[str, Tensor]) -> bool:
    """Whether the blocks in a state dict, at any depth of names, are in deploy form."""
    return any('rbr_reparam.' in name for name in state_dict)


def recognise_arch(state_dict: Mapping[str, Tensor]) -> 'ArchSpec | None':
    """The architecture that the shapes tell, None where they are not all there.

    Args:
        state_dict: a backbone's, in training or deploy form, under our names.
    """
    kernels = {}
    for name, tensor in state_dict.items():
        match = re.fullmatch(r'stage(\d)(?:\.(\d+))?\.(?:rbr_dense\.conv|rbr_reparam)\.weight', name)
        if match:
            kernels[int(match[1]), int(match[2] or 0)] = tensor
    depths = [sum(stage == i for stage, _ in kernels) for i in range(5)]
    if not all(depths):
        return None
    widths = [kernels[i, 0].shape[0] for i in range(5)]
    second_of_stage2 = kernels.get((1, 1))  # the 3rd layer of the body, the first with groups
    groups = 1 if second_of_stage2 is None else widths[1] // second_of_stage2.shape[1]
    try:
        return ArchSpec(
            tuple(depths),
            a=widths[1] / 64,
            b=widths[4] / 512,
            groups=groups,
            se=any('.se.' in name for name in state_dict),
        )
    except InputError:
        return None


def _arch_name(spec: ArchSpec) -> str:
    return next((name for name, known in ARCHS.items() if known == spec), str(spec))


def _listed(names) -> str:
    names = list(names)
    more = f', ... ({len(names) - _LISTED} more)' if len(names) > _LISTED else ''
    return ', '.join(names[:_LISTED]) + more
