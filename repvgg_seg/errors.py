"""The one error for what a user can put right, and how the tools show it."""

import functools
import sys
from collections.abc import Iterable

_LISTED = 4  # names listed in a message


class InputError(ValueError):
    """Wrong input: the message says what came, what is allowed and what to do, in one line."""


def exit_on_input_error(main):
    """Decorate the ``main`` of a tool: an `InputError` ends it with one line on stderr and exit status 2.

    An error raised in a data loader's worker arrives with the worker's traceback in its text; only the
    message is shown.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        try:
            return main(*args, **kwargs)
        except InputError as error:
            message = str(error).rsplit(f'{InputError.__name__}: ', 1)[-1].strip()
            sys.exit(_fail(message))

    return wrapped


def _fail(message: str) -> int:
    print(f'error: {message}', file=sys.stderr)
    return 2


def listed(names: 'Iterable[str]') -> str:
    """The first few names, for a message, and the number of the others."""
    names = list(names)
    more = f', ... ({len(names) - _LISTED} more)' if len(names) > _LISTED else ''
    return ', '.join(names[:_LISTED]) + more
