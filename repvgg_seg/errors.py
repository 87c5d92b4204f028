"""The one error for what a user can put right, and what its messages are made of."""

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 4  # names listed in a message


class InputError(ValueError):
    """Wrong input: the message says what came, what is allowed and what to do, in one line.

    Attributes:
        is_logged: whether the traceback of the error behind it stands in the log file already.
    """

    is_logged = False


def one_line(error: InputError) -> str:
    """The message of an error, without the traceback of a worker around it; line ends in a name or value are escaped."""
    message = str(error).rsplit(f'{type(error).__name__}: ', 1)[-1].strip()
    return '\\n'.join(message.splitlines())


def beginning_of(error: BaseException) -> str:
    """The first 200 characters of what an error of another package says, in one line."""
    return ' '.join(str(error).split())[:200]


def parts_of_names(names: Iterable[str], depth: int) -> list[str]:
    """The first components of dotted names, as many as `depth`, each once."""
    return list(dict.fromkeys('.'.join(name.split('.')[:depth]) for name in names))


def listed(names: Iterable[str]) -> str:
    """The first few names, for a message, and the number of the others."""
    names = list(names)
    more = f', ... ({len(names) - _LISTED} more)' if len(names) > _LISTED else ''
    return ', '.join(names[:_LISTED]) + more


def similar_names(name: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Up to three names that resemble this one, whatever their case, the closest first.

    Args:
        name: what came.
        names: those that there are.
        cutoff: from 0, which takes any, to 1, which takes the same alone.
    """
    by_lower_case = {known.lower(): known for known in names}
    return [by_lower_case[close] for close in get_close_matches(name.lower(), by_lower_case, cutoff=cutoff)]


def did_you_mean(names: list[str]) -> str:
    """The question of a message for similar names, such as 'did you mean A or B? '; '' where there are none."""
    return f'did you mean {" or ".join(names)}? ' if names else ''


def closest_names(name: str, names: Iterable[str]) -> str:
    """The part of a message that proposes what was meant, such as '; the closest are A, B'; '' where nothing resembles it."""
    similar = similar_names(name, names)
    return f'; the closest are {", ".join(similar)}' if similar else ''
