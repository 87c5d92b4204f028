"""How a tool ends when its input is wrong: one line and exit status 2, no traceback."""

import functools
import io
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..errors import InputError

P = ParamSpec('P')
R = TypeVar('R')


def exit_on_input_error(main: Callable[P, R]) -> Callable[P, R]:
    """Decorate the `main` of a tool: an `InputError` ends it with one line on stderr and exit status 2.

    Letters that the screen cannot show are escaped. An error raised in a worker of a data loader arrives with the worker's traceback in its text; only the message is shown.
    """

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        _print_anything()
        try:
            return main(*args, **kwargs)
        except InputError as error:
            message = str(error).rsplit(f'{InputError.__name__}: ', 1)[-1].strip()
            print(f'error: {message}', file=sys.stderr)
            sys.exit(2)

    return wrapped


def _print_anything() -> None:
    """Let stdout escape the letters that its encoding lacks, as stderr does: a name may hold any."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
