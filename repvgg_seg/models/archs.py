"""The published RepVGG architectures, as data (paper, Tables 2 and 3). Standard library only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..errors import InputError

# Squeeze-and-excitation reduces the channels by this factor, before and after the ReLU.
SE_RATIO, POST_SE_RATIO = 16, 4


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


@dataclass(frozen=True)
class ArchSpec:
    """What makes one RepVGG differ from another.

    Args:
        depths: number of layers in each of the five stages; 1 in the first.
        a: width multiplier of stages 1 to 4 (the first has at most 64 channels).
        b: width multiplier of stage 5.
        groups: groups of every second layer: the 3rd, 5th, 7th, ... of the body (paper, section 3.4).
        se: squeeze-and-excitation before every ReLU (D2se; not in the paper).
        post_se: squeeze-and-excitation after every ReLU (L2pse of RepVGGplus; not in the paper).

    Raises:
        InputError: a value of a wrong type or out of its range; the message names it.
    """

    depths: tuple[int, ...]
    a: float
    b: float
    groups: int = 1
    se: bool = False
    post_se: bool = False

    def __post_init__(self) -> None:
        depths = tuple(self.depths) if isinstance(self.depths, Sequence) else ()
        if len(depths) != 5 or not all(map(_is_count, depths)):
            raise InputError(f'arch: depths must be five positive integers, one for each stage, got {self.depths!r}')
        if depths[0] != 1:
            raise InputError(
                f'arch: stage 1 has one layer, got depths {depths!r}: begin with 1 and put the other layers in stage 2'
            )
        object.__setattr__(self, 'depths', depths)
        for name in 'ab':
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float('inf'):
                raise InputError(f'arch: width multiplier {name} must be a positive number, got {value!r}')
        if any(width != int(width) for width in self._exact_widths()):
            raise InputError(
                f'arch: a={self.a!r}, b={self.b!r} give the widths {self._exact_widths()}, which are not whole numbers'
            )
        if not _is_count(self.groups) or any(w % self.groups for w in self.widths[1:]):
            raise InputError(
                f'arch: groups must be a positive integer that divides the widths {self.widths[1:]}, '
                f'got {self.groups!r}'
            )
        for name, ratio in (('se', SE_RATIO), ('post_se', POST_SE_RATIO)):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f'arch: {name} must be True or False, got {getattr(self, name)!r}')
            if getattr(self, name) and min(self.widths) < ratio:
                raise InputError(f'arch: {name}=True needs widths of at least {ratio}, got {self.widths}')

    def _exact_widths(self) -> tuple[float, ...]:
        return min(64, 64 * self.a), 64 * self.a, 128 * self.a, 256 * self.a, 512 * self.b

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the five stages (paper, Table 2)."""
        return tuple(int(width) for width in self._exact_widths())


_A = (1, 2, 4, 14, 1)
_B = (1, 4, 6, 16, 1)

ARCHS: dict[str, ArchSpec] = {
    'A0': ArchSpec(_A, 0.75, 2.5),
    'A1': ArchSpec(_A, 1, 2.5),
    'A2': ArchSpec(_A, 1.5, 2.75),
    'B0': ArchSpec(_B, 1, 2.5),
    'B1': ArchSpec(_B, 2, 4),
    'B1g2': ArchSpec(_B, 2, 4, groups=2),
    'B1g4': ArchSpec(_B, 2, 4, groups=4),
    'B2': ArchSpec(_B, 2.5, 5),
    'B2g2': ArchSpec(_B, 2.5, 5, groups=2),
    'B2g4': ArchSpec(_B, 2.5, 5, groups=4),
    'B3': ArchSpec(_B, 3, 5),
    'B3g2': ArchSpec(_B, 3, 5, groups=2),
    'B3g4': ArchSpec(_B, 3, 5, groups=4),
    'D2se': ArchSpec((1, 8, 14, 24, 1), 2.5, 5, se=True),
    'L2pse': ArchSpec((1, 8, 14, 24, 1), 2.5, 5, post_se=True),  # the authors' RepVGGplus-L2pse
}


def get_arch(arch: str | Mapping[str, Any] | ArchSpec) -> ArchSpec:
    """The spec of a published architecture by its name, or of a new one by a dict of the fields of `ArchSpec`.

    Raises:
        InputError: an unknown name (the message lists the known ones), or a dict that is not a spec.
    """
    if isinstance(arch, ArchSpec):
        return arch
    if isinstance(arch, str):
        if arch not in ARCHS:
            raise InputError(f'unknown RepVGG arch {arch!r}; known: {", ".join(ARCHS)}; or a dict: {_dict_form()}')
        return ARCHS[arch]
    if isinstance(arch, Mapping):
        names = {field.name for field in fields(ArchSpec)}
        unknown, missing = set(arch) - names, {'depths', 'a', 'b'} - set(arch)
        if unknown or missing:
            raise InputError(
                f'arch as a dict is {_dict_form()}; unknown keys: {sorted(unknown)}, missing: {sorted(missing)}'
            )
        return ArchSpec(**arch)
    raise InputError(f'arch must be one of {", ".join(ARCHS)} or a dict, got {type(arch).__name__}')


def arch_name(spec: ArchSpec) -> str:
    """`RepVGG-A0` and so on for a published architecture, `RepVGG(1,2,2,5,1; a=0.25, b=0.25)` and so on for any other."""
    for name, known in ARCHS.items():
        if known == spec:
            return f'RepVGG-{name}'
    facts = f'{",".join(map(str, spec.depths))}; a={spec.a:g}, b={spec.b:g}'
    extras = [f'groups={spec.groups}'] * (spec.groups > 1) + ['se'] * spec.se + ['post_se'] * spec.post_se
    return f'RepVGG({", ".join([facts, *extras])})'


def _dict_form() -> str:
    return 'dict(depths=(1, 2, 4, 14, 1), a=0.75, b=2.5, groups=1, se=False, post_se=False)'
