"""The one error for what a user can put right."""

from collections.abc import Iterable

_LISTED = 4  # names listed in a message


class InputError(ValueError):
    """Wrong input: the message says what came, what is allowed and what to do, in one line."""


def listed(names: Iterable[str]) -> str:
    """The first few names, for a message, and the number of the others."""
    names = list(names)
    more = f', ... ({len(names) - _LISTED} more)' if len(names) > _LISTED else ''
    return ', '.join(names[:_LISTED]) + more
