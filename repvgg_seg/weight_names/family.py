"""The names that one code base gives to the tensors of a RepVGG, translated to the official names and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """The names of one family.

    Args:
        stem: name of the first layer.
        stage: name of a stage, with `{}` for its number.
        first_stage: number of the stage behind the stem.
        parts: official name of a part of a block -> this family's name.
        classifier: name of the linear layer.
        body: prefix of the names of the body, which the classifier's names lack.
        wrapped: whether files hold the tensors under `state_dict`, beside `meta`.
        other_stage: another spelling of `stage`, which is read and never written.
    """

    stem: str
    stage: str
    first_stage: int
    parts: Mapping[str, str]
    classifier: str
    body: str = ''
    wrapped: bool = False
    other_stage: str = ''

    @property
    def kernel_pattern(self) -> re.Pattern[str]:
        """Matches the whole name of a 3x3 kernel in either form, with any prefix; group 1 is the prefix."""
        dense, fused = (re.escape(self.parts[part]) for part in ('rbr_dense.conv', 'rbr_reparam'))
        place = rf'(?:{re.escape(self.stem)}|{self._stage_pattern}\.\d+)'
        return re.compile(rf'((?:[^.]+\.)*){place}\.(?:{dense}|{fused})\.weight')

    @property
    def _stage_pattern(self) -> str:
        spellings = '|'.join(re.escape(name.removesuffix('{}')) for name in (self.stage, self.other_stage) if name)
        return rf'(?:{spellings})(\d)'

    def to_official(self, name: str) -> str:
        """The official name, without `body`, of a tensor of the body; any other name is returned unchanged."""
        if name.startswith(f'{self.stem}.'):
            place, part = 'stage0.', name[len(self.stem) + 1 :]
        else:
            match = re.match(rf'{self._stage_pattern}\.(\d+\.)', name)
            if not match:
                return name
            place, part = f'stage{int(match[1]) - self.first_stage + 1}.{match[2]}', name[match.end() :]
        return place + _replace_start(part, {theirs: official for official, theirs in self.parts.items()})

    def from_official(self, name: str) -> str:
        """This family's name, with `body`, of a tensor of the body or of `linear` under its official name."""
        if name.startswith('linear.'):
            return _replace_start(name, {'linear': self.classifier})
        stage, rest = name.split('.', 1)
        number = int(stage.removeprefix('stage'))
        if number == 0:
            return f'{self.body}{self.stem}.{_replace_start(rest, self.parts)}'
        block, part = rest.split('.', 1)
        place = self.stage.format(number - 1 + self.first_stage)
        return f'{self.body}{place}.{block}.{_replace_start(part, self.parts)}'


def _replace_start(name: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        if name.startswith(f'{old}.'):
            return new + name[len(old) :]
    return name
