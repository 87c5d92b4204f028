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
        a: width multiplier of stages 1 to 4 (the first has at most 64 channels); None with `layer_widths`.
        b: width multiplier of stage 5; None with `layer_widths`.
        groups: groups of every second layer: the 3rd, 5th, 7th, ... of the body (paper, section 3.4).
        se: squeeze-and-excitation before every ReLU (D2se; not in the paper).
        post_se: squeeze-and-excitation after every ReLU (L2pse of RepVGGplus; not in the paper).
        layer_widths: output channels of every layer, from first to last, in the place of `a` and `b`, as a network has them
            that was pruned (paper, section 3.1). Widths that multipliers give as well are stored as these.

    Raises:
        InputError: a value of a wrong type or out of its range; the message names it.
    """

    depths: tuple[int, ...]
    a: float | None = None
    b: float | None = None
    groups: int = 1
    se: bool = False
    post_se: bool = False
    layer_widths: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        depths = tuple(self.depths) if isinstance(self.depths, Sequence) else ()
        if len(depths) != 5 or not all(map(_is_count, depths)):
            raise InputError(f'arch: depths must be five positive integers, one for each stage, got {self.depths!r}')
        if depths[0] != 1:
            raise InputError(
                f'arch: stage 1 has one layer, got depths {depths!r}: begin with 1 and put the other layers in stage 2'
            )
        object.__setattr__(self, 'depths', depths)
        if self.layer_widths is None:
            self._check_multipliers()
        else:
            self._take_layer_widths()
        widths = self.layer_widths or self.widths
        if not _is_count(self.groups) or any(width % self.groups for width in widths[1:]):
            raise InputError(
                f'arch: groups must be a positive integer that divides the widths {widths[1:]}, got {self.groups!r}'
            )
        for name, ratio in (('se', SE_RATIO), ('post_se', POST_SE_RATIO)):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f'arch: {name} must be True or False, got {getattr(self, name)!r}')
            if getattr(self, name) and min(widths) < ratio:
                raise InputError(f'arch: {name}=True needs widths of at least {ratio}, got {widths}')

    def _check_multipliers(self) -> None:
        for name in 'ab':
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float('inf'):
                raise InputError(f'arch: width multiplier {name} must be a positive number, got {value!r}')
        exact = self._exact_widths()
        if any(width != int(width) for width in exact):
            raise InputError(f'arch: a={self.a!r}, b={self.b!r} give the widths {exact}, which are not whole numbers')

    def _take_layer_widths(self) -> None:
        given = self.layer_widths
        widths = tuple(given) if isinstance(given, Sequence) else ()
        number = sum(self.depths)
        if len(widths) != number or not all(map(_is_count, widths)):
            raise InputError(
                f'arch: layer_widths must be {number} positive integers, one for each layer, got {given!r}'
            )
        if self.a is not None or self.b is not None:
            raise InputError(
                f'arch: layer_widths stand in the place of a and b, got a={self.a!r}, b={self.b!r} as well: leave them out'
            )
        object.__setattr__(self, 'layer_widths', widths)
        multipliers = dict(a=widths[1] / 64, b=widths[-1] / 512)
        if self._of_layers(_stage_widths(**multipliers)) == widths:
            for name, value in (*multipliers.items(), ('layer_widths', None)):
                object.__setattr__(self, name, value)

    def _exact_widths(self) -> tuple[float, ...]:
        assert self.a is not None and self.b is not None  # there are no `layer_widths`
        return _stage_widths(self.a, self.b)

    def _of_layers(self, widths: Sequence[float]) -> tuple[float, ...]:
        """The widths of stages for each of their layers."""
        return tuple(width for depth, width in zip(self.depths, widths, strict=True) for _ in range(depth))

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the five stages (paper, Table 2); of the last layer of each, where the layers differ."""
        if self.layer_widths is not None:
            return tuple(self.layer_widths[sum(self.depths[: stage + 1]) - 1] for stage in range(5))
        return tuple(int(width) for width in self._exact_widths())

    @property
    def widths_by_layer(self) -> tuple[int, ...]:
        """Channels of every layer, from first to last."""
        return self.layer_widths or tuple(map(int, self._of_layers(self.widths)))

    def is_narrower_than(self, other: 'ArchSpec') -> bool:
        """Whether it has `layer_widths`, none of them above those of another spec, and differs in nothing else."""
        same = all(getattr(self, name) == getattr(other, name) for name in ('depths', 'groups', 'se', 'post_se'))
        if self == other or not same or self.layer_widths is None:
            return False
        return all(own <= width for own, width in zip(self.layer_widths, other.widths_by_layer, strict=True))


def _stage_widths(a: float, b: float) -> tuple[float, ...]:
    """Channels of the five stages, by the multipliers (paper, Table 2)."""
    return min(64, 64 * a), 64 * a, 128 * a, 256 * a, 512 * b


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
        needed = {'depths'} if 'layer_widths' in arch else {'depths', 'a', 'b'}
        unknown, missing = set(arch) - names, needed - set(arch)
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
    if spec.layer_widths is None:
        widths = f'a={spec.a:g}, b={spec.b:g}'
    else:
        widths = f'layer_widths={",".join(map(str, spec.layer_widths))}'
    facts = f'{",".join(map(str, spec.depths))}; {widths}'
    extras = [f'groups={spec.groups}'] * (spec.groups > 1) + ['se'] * spec.se + ['post_se'] * spec.post_se
    return f'RepVGG({", ".join([facts, *extras])})'


def _dict_form() -> str:
    return (
        'dict(depths=(1, 2, 4, 14, 1), a=0.75, b=2.5, groups=1, se=False, post_se=False), or with layer_widths, the channels of '
        'every layer, in the place of a and b'
    )
