"""The names that one code base gives to the tensors of a RepVGG, translated to the official names and back."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """The names of one family.

    Args:
        stem: name of the first layer.
        stage: name of a stage, with `{}` for its number; with `halves`, of those that are in one piece.
        first_stage: number of the stage behind the stem.
        parts: official name of a part of a block -> this family's name.
        classifier: name of the linear layer.
        body: prefix of the names of the body, which the classifier's names lack.
        wrapped: whether files hold the tensors under `state_dict`, beside `meta`.
        other_stage: another spelling of `stage`, which is read and never written.
        halves: number of a stage that is in two halves, whose blocks are counted from 0 in each, and the names of the halves;
            such a family is recognised by the other stages.
    """

    stem: str
    stage: str
    first_stage: int
    parts: Mapping[str, str]
    classifier: str
    body: str = ''
    wrapped: bool = False
    other_stage: str = ''
    halves: tuple[int, str, str] | None = None

    @property
    def kernel_pattern(self) -> re.Pattern[str]:
        """Matches the whole name of a 3x3 kernel in either form, with any prefix; group 1 is the prefix."""
        dense, fused = (re.escape(self.parts[part]) for part in ('rbr_dense.conv', 'rbr_reparam'))
        stem = '' if self.halves else f'{re.escape(self.stem)}|'
        return re.compile(rf'((?:[^.]+\.)*)(?:{stem}{self._stage_pattern}\.\d+)\.(?:{dense}|{fused})\.weight')

    @property
    def _stage_pattern(self) -> str:
        spellings = [name.split('{}') for name in (self.stage, self.other_stage) if name]
        # The numbers are within the names, so that both spellings share one group.
        before, after = ('|'.join(dict.fromkeys(map(re.escape, parts))) for parts in zip(*spellings, strict=True))
        return rf'(?:{before})(\d)(?:{after})'

    def all_to_official(self, names: Iterable[str]) -> dict[str, str]:
        """Every name of a body, without `body`, with its official name."""
        names = list(names)
        if self.halves is None:
            return {name: self.to_official(name) for name in names}
        number, *halves = self.halves
        first, second = (re.compile(rf'{re.escape(half)}\.(\d+)\.') for half in halves)
        length = len({match[1] for match in map(first.match, names) if match})
        official = {}
        for name in names:
            whole = name
            for pattern, start in ((first, 0), (second, length)):
                if match := pattern.match(name):
                    whole = f'{self.stage.format(number)}.{int(match[1]) + start}.{name[match.end() :]}'
            official[name] = self.to_official(whole)
        return official

    def all_from_official(self, names: Iterable[str]) -> dict[str, str]:
        """Every official name of the tensors of a body, and of `linear`, with that of this family."""
        theirs = {name: self.from_official(name) for name in names}
        if self.halves is None:
            return theirs
        number, *halves = self.halves
        pattern = re.compile(rf'{re.escape(self.body + self.stage.format(number))}\.(\d+)\.')
        half = len({match[1] for match in map(pattern.match, theirs.values()) if match}) // 2
        for official, name in theirs.items():
            if match := pattern.match(name):
                block = int(match[1])
                name_of_half, block = (halves[0], block) if block < half else (halves[1], block - half)
                theirs[official] = f'{self.body}{name_of_half}.{block}.{name[match.end() :]}'
        return theirs

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
