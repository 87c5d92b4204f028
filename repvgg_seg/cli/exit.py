"""How a tool ends when its input is wrong: one line and exit status 2, no traceback."""

import functools
import io
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, ParamSpec, TypeVar

import torch

from ..errors import InputError, one_line
from ..quiet import quiet_warnings
from ..training.distributed import end_process, is_first_to_say
from ..training.log_file import write_to_log_file
from ..training.one_line_error import is_lost_process, told_in_one_line

P = ParamSpec('P')
R = TypeVar('R')


def exit_on_input_error(main: Callable[P, R]) -> Callable[P, R]:
    """Decorate the `main` of a tool: an `InputError` ends it with one line on stderr and exit status 2.

    Letters that the screen cannot show are escaped. An error raised in a worker of a data loader arrives with the worker's
    traceback in its text; only the message is shown. Of several processes that end with the same error, the first prints it. Any
    error ends one of several processes at once: the teardown of the interpreter would wait for a collective call that the others
    may never join. The traceback of an error behind an `InputError` goes into the log file of the run. Warnings of upstream packages
    that mean nothing to a user are not shown.
    """

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        _print_anything()
        try:
            with quiet_warnings():
                return main(*args, **kwargs)
        except InputError as error:
            _tell(error)
        except KeyboardInterrupt:
            print('interrupted', file=sys.stderr)
            if torch.distributed.is_initialized():
                end_process(130)
            sys.exit(130)
        except Exception as error:
            if is_lost_process(error):  # torch raises the end of a worker anywhere, also where an error is being told
                _tell(told_in_one_line(error, 'during the run'))
            if torch.distributed.is_initialized():
                traceback.print_exc()
                end_process(1)
            raise

    return wrapped


def end_on_sigterm(number: int, frame: FrameType | None) -> NoReturn:
    """Handler of a signal that ends a command as by Ctrl-C, so that no half-written file stays."""
    sys.exit(128 + number)


def _tell(error: InputError) -> NoReturn:
    """Print an error in one line, and end this process with status 2."""
    # For another error, or in a worker of a loader.
    if not error.is_logged and (error.__cause__ is not None or '\n' in str(error)):
        write_to_log_file(''.join(traceback.format_exception(error)))
    message = one_line(error)
    if is_first_to_say(message):
        print(f'error: {message}', file=sys.stderr)
    if torch.distributed.is_initialized():
        end_process(2)
    sys.exit(2)


def _print_anything() -> None:
    """Let stdout escape the letters that its encoding lacks, as stderr does: a name may hold any."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
