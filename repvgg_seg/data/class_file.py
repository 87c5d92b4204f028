"""The classes of a data set, with the colours or numbers that masks hold for them, from a config or from a small file."""

import json
import os.path as osp
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError, listed
from .damaged_files import fault_of_system

Colour = tuple[int, int, int]
# What annotation tools call the file of the classes, in small letters, in the order in which they are looked for.
KNOWN_NAMES = (
    *(f'classes{end}' for end in ('.txt', '.json', '.yaml', '.yml', '.csv')),
    *('labelmap.txt', 'label_map.txt', 'labels.txt', 'label_colors.txt', 'class_dict.csv', 'class_dict_seg.csv'),
    *('_classes.csv', 'train/_classes.csv', 'notes.json', 'meta.json', 'data.yaml', 'dataset.yaml', 'obj.names'),
)
_LISTS = ('classes', 'categories', 'labels', 'names')
_NAMES = ('name', 'title', 'class', 'label')
_COLOURS = ('color', 'colour', 'palette', 'rgb')
_NUMBERS = ('value', 'id', 'number', 'index')
_SEPARATOR = r'[\s,;:]+'
_THREE = r'\(?\[?(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\]?\)?'
_HEADING = re.compile(r'\b(name|class(es)?|label|pixel value)\b', re.IGNORECASE)
_HOW = (
    "give names, classes=['ground', 'road'], names with the colours in the masks, classes=dict(ground=(0, 0, 0), "
    'road=(128, 64, 128)), names with numbers, classes=dict(ground=0, road=255), or the file that holds them'
)


@dataclass(frozen=True)
class ClassTable:
    """The classes of a data set, in the order of their numbers.

    Attributes:
        names: of the classes.
        colours: (R, G, B) of each class, in masks of colours and in pictures; None where none are given.
        numbers: that masks hold for each class, where these are not the places in `names`.
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...] | None = None
    numbers: tuple[int, ...] | None = None


def class_table(given: Any, where: str = 'classes') -> ClassTable:
    """Read names, and their colours or numbers, in any of the forms in which they are given.

    Args:
        given: a list of names; a dict of names to (R, G, B), '#rrggbb' or a number; or what annotation tools write as JSON
            or YAML: a dict of numbers to names, or a list of dicts with a name and a colour or a number.
        where: what gives them, for messages.

    Raises:
        InputError: they are none of these, or a name, colour or number occurs twice.
    """
    if isinstance(given, Mapping):
        inner = next((given[key] for key in _LISTS if isinstance(given.get(key), (list, tuple, Mapping))), None)
        if inner is not None and not all(_is_value(value) for value in given.values()):
            return class_table(inner, where)
        if given and all(isinstance(value, str) and str(key).isdecimal() for key, value in given.items()):
            return _checked([(name, int(number)) for number, name in given.items()], where)
        return _checked([(str(name), _value(value, where)) for name, value in given.items()], where)
    if isinstance(given, Sequence) and not isinstance(given, str):
        if given and all(isinstance(entry, Mapping) for entry in given):
            return _checked([_entry(entry, where) for entry in given], where)
        if given and all(isinstance(name, str) for name in given):
            return _checked([(name, None) for name in given], where)
    raise InputError(f'{where} is {given!r}: {_HOW}')


def read_class_file(path: str) -> ClassTable:
    """Read a file of classes: text with a class a line, CSV, JSON or YAML, as annotation tools write them.

    A line is a name, alone or with its colour or number, before or behind it: `road`, `road 128 64 128`, `128 64 128 road`,
    `road,#804080`, `3: road`, or CVAT's `road:128,64,128::`.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except OSError as error:
        raise InputError(f'{fault_of_system(error, path)} (classes)') from error
    except UnicodeError as error:
        raise InputError(f'{path} cannot be read as a file of classes in UTF-8: {error}') from error
    if path.lower().endswith(('.json', '.yaml', '.yml')):
        try:
            return class_table(json.loads(text) if path.lower().endswith('.json') else yaml.safe_load(text), path)
        except (ValueError, yaml.YAMLError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f'{path} cannot be read: {" ".join(str(error).split())}') from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith('#')]
    if len(lines) > 1 and _HEADING.search(lines[0]) and not re.search(r'\d', lines[0]) and re.search(r'\d', lines[1]):
        lines = lines[1:]
    entries = [_line(line, path.lower().endswith('.csv')) for line in lines]
    if any(value is None for _, value in entries):  # a name may begin with a number, such as '2 wheeler'
        entries = [
            (line if isinstance(value, int) else name, None if isinstance(value, int) else value)
            for line, (name, value) in zip(lines, entries, strict=True)
        ]
    return _checked(entries, path)


def find_class_file(root: str) -> str | None:
    """The file of classes in the folder of a data set, if there is one under a name that annotation tools use."""
    for name in KNOWN_NAMES:
        folder = osp.join(root, osp.dirname(name))
        if osp.isdir(folder):
            for found in sorted(Path(folder).iterdir()):
                if found.name.lower() == osp.basename(name) and found.is_file():
                    return str(found)
    return None


def standard_colours(number: int) -> tuple[Colour, ...]:
    """The first colours of PASCAL VOC, whose bits are spread over red, green and blue; black is the first."""
    return tuple(
        tuple(sum((i >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(3)) for channel in range(3))  # type: ignore[misc]
        for i in range(number)
    )


def _line(line: str, is_csv: bool) -> tuple[str, Any]:
    """The name in a line, and its colour or number."""
    for pattern in (
        rf'(?P<name>.+?){_SEPARATOR}#(?P<hex>[0-9a-fA-F]{{6}})',
        r'#(?P<hex>[0-9a-fA-F]{6})\s+(?P<name>.+)',
    ):
        if match := re.fullmatch(pattern, line):
            return _name(match['name']), _colour('#' + match['hex'])
    if match := re.fullmatch(rf'(.+?){_SEPARATOR}{_THREE}(?::.*)?', line):
        return _name(match[1]), tuple(map(int, match.groups()[1:]))
    if match := re.fullmatch(rf'{_THREE}{_SEPARATOR}(.+)', line):
        return _name(match[4]), tuple(map(int, match.groups()[:3]))
    if match := re.fullmatch(rf'(\d+){_SEPARATOR}(.+)', line):
        return _name(match[2]), int(match[1])
    if is_csv and (match := re.fullmatch(r'(.+?)\s*[,;]\s*(\d+)', line)):
        return _name(match[1]), int(match[2])
    return _name(line), None


def _name(text: str) -> str:
    """A name without quotes, and without the number that may stand before it where a colour stands behind."""
    return re.sub(rf'^\d+{_SEPARATOR}(?=\D)', '', text.strip().rstrip(',;:').strip()).strip('"\'')


def _entry(entry: Mapping[str, Any], where: str) -> tuple[str, Any]:
    found = {key.lower(): value for key, value in entry.items() if isinstance(key, str)}
    name = next((found[key] for key in _NAMES if isinstance(found.get(key), str)), None)
    if name is None:
        raise InputError(f'{where}: {dict(entry)!r} has no name: {_HOW}')
    value = next((found[key] for key in (*_COLOURS, *_NUMBERS) if found.get(key) is not None), None)
    return name, None if value is None else _value(value, where)


def _is_value(value: Any) -> bool:
    """Whether this may be the colour or number of a class."""
    return isinstance(value, (str, int)) or (
        isinstance(value, (list, tuple)) and len(value) == 3 and all(isinstance(part, int) for part in value)
    )


def _value(value: Any, where: str) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return _colour(value)
    except (TypeError, ValueError):
        raise InputError(f'{where}: {value!r} is neither a colour nor a number: {_HOW}') from None


def _colour(value: Any) -> Colour:
    if isinstance(value, str):
        digits = value.removeprefix('#')
        if not re.fullmatch(r'[0-9a-fA-F]{6}', digits):
            raise ValueError
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    red, green, blue = value
    return int(red), int(green), int(blue)


def _checked(entries: list[tuple[str, Any]], where: str) -> ClassTable:
    names = [name for name, _ in entries]
    values = [value for _, value in entries]
    if not names or not all(names):
        raise InputError(f'{where} names no classes: {_HOW}')
    kinds = {type(value) for value in values}
    if len(kinds) > 1:
        raise InputError(
            f'{where}: some classes have a colour or number, and {listed(_without(entries, kinds))} not: {_HOW}'
        )
    for what, many in (('class', names), ('colour or number', values if kinds != {type(None)} else [])):
        if twice := [str(one) for i, one in enumerate(many) if one in many[:i]]:
            raise InputError(f'{where}: the {what} {twice[0]} occurs twice')
    if kinds == {tuple}:
        if wrong := [value for value in values if max(value) > 255 or min(value) < 0]:
            raise InputError(f'{where}: {wrong[0]} is no colour: red, green and blue are 0 to 255')
        return ClassTable(tuple(names), colours=tuple(values))
    if kinds == {int}:
        if min(values) < 0:
            raise InputError(f'{where}: {min(values)} is no number of a pixel: 0 or greater')
        ordered = sorted(zip(values, names, strict=True))
        numbers = tuple(number for number, _ in ordered)
        plain = numbers == tuple(range(len(numbers)))
        return ClassTable(tuple(name for _, name in ordered), numbers=None if plain else numbers)
    return ClassTable(tuple(names))


def _without(entries: Iterable[tuple[str, Any]], kinds: set[type]) -> list[str]:
    rare = type(None) if type(None) in kinds else int
    return [name for name, value in entries if type(value) is rare]
