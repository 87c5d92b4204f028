"""The one error for what a user can put right, and how the tools show it."""

import functools
import re
import sys
import traceback
from collections.abc import Iterable

_LISTED = 4  # names listed in a message


class InputError(ValueError):
    """Wrong input: the message says what came, what is allowed and what to do, in one line."""


def exit_on_input_error(main):
    """Decorate the ``main`` of a tool: an `InputError` ends it with one line on stderr and exit status 2.

    An error raised in a data loader's worker arrives with the worker's traceback in its text; only the
    message is shown. What a config says and mmengine cannot build ends a tool in the same way.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        try:
            return main(*args, **kwargs)
        except InputError as error:
            message = str(error).rsplit(f'{InputError.__name__}: ', 1)[-1].strip()
            sys.exit(_fail(message))
        except (KeyError, TypeError) as error:
            message = _fault_of_config(error)
            if message is None:
                raise
            sys.exit(_fail(message))

    return wrapped


def _fail(message: str) -> int:
    print(f'error: {message}', file=sys.stderr)
    return 2


_NOT_BUILT = {
    r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'": (
        'the config gives {} an argument that it does not take, {}: check its spelling'
    ),
    r'(\w+)\.__init__\(\) missing \d+ required positional arguments?: (.+)': 'the config does not say what {} needs: {}',
    r'(\S+) is not in the \S+::([\w ]+) registry': (
        'the config says type={}, and no {} has that name: check its spelling, and custom_imports'
    ),
}


def _fault_of_config(error: Exception) -> 'str | None':
    """A message where mmengine could not build what a config says; None for any other error."""
    if not any(frame.f_code.co_name == 'build_from_cfg' for frame, _ in traceback.walk_tb(error.__traceback__)):
        return None
    for pattern, message in _NOT_BUILT.items():
        match = re.match(pattern, str(error.args[0]) if error.args else '')
        if match:
            return message.format(*match.groups())
    return None


def listed(names: 'Iterable[str]') -> str:
    """The first few names, for a message, and the number of the others."""
    names = list(names)
    more = f', ... ({len(names) - _LISTED} more)' if len(names) > _LISTED else ''
    return ', '.join(names[:_LISTED]) + more
