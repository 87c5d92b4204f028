"""What a text typed as KEY=VALUE means: the value, read beside that which the config has."""

import ast
import os.path as osp
import re
from collections.abc import Iterator
from typing import Any

from ...weights.stored_config import DictCalls
from .argument_kinds import Kinds

ABSENT = object()  # the old value of a key that the config does not have

_NUMBER = re.compile(r'[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|nan|0[xX][0-9a-fA-F]+|\d{1,3}(_\d{3})+)')
_WORD = re.compile(r'[A-Za-z_]\w*')
_PAIRS = {'(': ')', '[': ']', '{': '}'}
_CONTAINERS = (dict, list, tuple)


class TypedText(str):
    """A value as it was typed; what it means depends on the config."""


def value_of(text: str, old: Any = ABSENT, kinds: Kinds = None) -> Any:
    """Read a value.

    Text stays text, whatever it looks like, where the config has text or the argument takes text only. Else Python's notation
    is read, with or without quotes around words (`[a, b]`, `{type: SGD}`), and `dict(a=1)` too.

    Args:
        text: as typed, without the shell's quotes.
        old: the value that the config has; `ABSENT` for none.
        kinds: the types that the argument takes, as far as they are known.

    Raises:
        ValueError: the text cannot be read; says why.
    """
    plain = text.strip()
    if plain == 'None':
        return None
    if _stays_text(plain, old, kinds):
        value = _literal(plain, None)
        return value if isinstance(value, _CONTAINERS) else _text(text)
    if not plain:
        if old is ABSENT or old is None:
            return ''
        raise ValueError('nothing stands behind the =')
    if isinstance(old, bool) and plain.lower() in ('yes', 'no', 'on', 'off'):
        raise ValueError('give True or False')
    value = _read(plain, old)
    if type(old) is int and isinstance(value, float) and '.' not in plain and value.is_integer():
        return int(value)  # 8e4 for a number of iterations
    if isinstance(old, (list, tuple)) and plain[0] == '(' and not isinstance(value, _CONTAINERS):
        return (value,)  # mmengine's notation: (3) is a tuple
    return _text(text) if value is plain else value


def _stays_text(plain: str, old: Any, kinds: Kinds) -> bool:
    if kinds is not None and str in kinds and kinds <= {str, type(None)}:
        return True
    if not isinstance(old, str):
        return False
    takes = kinds or set()
    if plain[:1] in _PAIRS or plain.startswith('dict('):
        return not takes & {*_CONTAINERS} and not plain.startswith(('{', 'dict('))
    scalar = _scalar(plain)
    return isinstance(scalar, str) or not any(issubclass(kind, (int, float)) for kind in takes)


def _text(text: str) -> str:
    """A text without the quotes around it, and with the home folder for `~`, which no shell replaces behind a =."""
    plain = text.strip()
    if _is_quoted(plain):
        return plain[1:-1]
    return osp.expanduser(text) if re.match(r'~($|[/\\])', text) else text


def _is_quoted(plain: str) -> bool:
    return len(plain) > 1 and plain[0] in '\'"' and plain[0] == plain[-1] and plain[0] not in plain[1:-1]


def _read(plain: str, old: Any) -> Any:
    """The value of a text without blanks around it; the text itself, the same object, where it is no more than text."""
    if _is_quoted(plain):
        inner = plain[1:-1].strip()
        if inner[:1] in _PAIRS or isinstance(old, (bool, int, float)):
            return _read(inner, old)
        return plain[1:-1]
    if plain[0] in _PAIRS or plain.startswith('dict('):
        parts = list(_split(plain, ','))
        return _nested(plain) if len(parts) == 1 else [_nested(part) for part in parts if part]
    if ',' in plain:
        if isinstance(old, (list, tuple)):
            return [_nested(part) for part in _split(plain, ',') if part]
        parts = [part.strip() for part in plain.split(',')]
        if all(_WORD.fullmatch(part) or not isinstance(_scalar(part), str) for part in parts):
            return [_scalar(part) for part in parts]
    return _scalar(plain)


def _scalar(plain: str) -> Any:
    """A number, True, False or None; the text itself for anything else."""
    if _NUMBER.fullmatch(plain):
        if plain.lower().lstrip('+-').startswith('0x'):
            return int(plain, 16)
        return float(plain) if re.search(r'[.n]|[eE]', plain) else int(plain)
    return dict(true=True, false=False).get(plain.lower(), None if plain == 'None' else plain)


def _nested(plain: str) -> Any:
    """A list, tuple or dict of Python's notation, words with or without quotes, or what stands in one."""
    value = _literal(plain, ABSENT)
    if value is not ABSENT:
        return value
    if plain.startswith('dict(') and plain.endswith(')'):
        return _pairs(plain[5:-1], '=')
    if plain[:1] not in _PAIRS:
        return plain[1:-1] if _is_quoted(plain) else _scalar(plain)
    if plain[-1] != _PAIRS[plain[0]]:
        raise ValueError(f'a {_PAIRS[plain[0]]} is missing at its end')
    if plain[0] == '{':
        return _pairs(plain[1:-1], ':')
    values = [_nested(item) for item in _split(plain[1:-1], ',') if item]
    return tuple(values) if plain[0] == '(' else values


def _pairs(inside: str, separator: str) -> dict[Any, Any]:
    pairs = [list(_split(item, separator)) for item in _split(inside, ',') if item]
    if any(len(pair) < 2 or not all(pair) for pair in pairs):
        raise ValueError(f'a dict needs KEY{separator} VALUE, with a comma between two of them')
    return {_nested(key): _nested(separator.join(rest)) for key, *rest in pairs}


def _literal(plain: str, default: Any) -> Any:
    """A Python literal, calls of dict included; the default where it is none, or holds what no config can, such as a set.

    A backslash stands for itself, as in the paths of Windows, except before a quote or another one.
    """
    try:
        text = re.sub(r'\\([\'"\\])|\\', lambda found: found[0] if found[1] else r'\\', plain)
        tree = ast.parse(text, mode='eval')
        value = ast.literal_eval(DictCalls().visit(tree))
        _check_values(value)
    except (AttributeError, TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
        return default
    return value


def _check_values(value: Any) -> None:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_values(item)
    elif value is not None and not isinstance(value, (bool, int, float, str)):
        raise ValueError(f'no {type(value).__name__} can stand in a config')


def _split(plain: str, separator: str) -> Iterator[str]:
    """The parts between separators outside brackets and quotes, without blanks around them.

    Raises:
        ValueError: a bracket or quote is not closed.
    """
    part, closing, quote = '', [], ''
    for character in plain:
        if quote:
            quote = '' if character == quote else quote
        elif character in '\'"' and part.rstrip()[-1:] in ('', *'([{:,='):  # an apostrophe inside a word opens nothing
            quote = character
        elif character in _PAIRS:
            closing.append(_PAIRS[character])
        elif character in _PAIRS.values() and (not closing or closing.pop() != character):
            raise ValueError(f'a {character} closes nothing')
        if character == separator and not closing and not quote:
            yield part.strip()
            part = ''
        else:
            part += character
    if closing or quote:
        raise ValueError(f'a {(closing or [quote])[-1]} is missing')
    yield part.strip()
