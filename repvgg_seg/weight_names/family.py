"""The names that one code base gives to the tensors of a RepVGG, and the way to the official names and back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

OFFICIAL_PARTS = (
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
        dense, fused = (self.parts[OFFICIAL_PARTS.index(part)] for part in ('rbr_dense.conv', 'rbr_reparam'))
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
        return place + _replace_start(part, self.parts, OFFICIAL_PARTS)

    def from_official(self, name: str) -> str:
        """This family's name, in a whole file, of a tensor of the body or of `linear`."""
        if name.startswith('linear.'):
            return _replace_start(name, ('linear',), (self.classifier,))
        stage, rest = name.split('.', 1)
        number = int(stage.removeprefix('stage'))
        place = self.stem if number == 0 else self.stage.format(number - 1 + self.first_stage)
        block, part = ('', rest) if number == 0 else re.fullmatch(r'(\d+\.)(.*)', rest).groups()
        return f'{self.body}{place}.{block}{_replace_start(part, OFFICIAL_PARTS, self.parts)}'


def _replace_start(name: str, old: Iterable[str], new: Iterable[str]) -> str:
    for before, after in zip(old, new, strict=True):
        if name.startswith(f'{before}.'):
            return after + name[len(before) :]
    return name
