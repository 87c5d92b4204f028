"""Steps that Ctrl-C or SIGTERM must not break in two."""

import contextlib
import signal
import threading
from collections.abc import Iterator

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def signals_put_off() -> Iterator[None]:
    """Let a signal that comes within the block take effect behind it, so that what is written is also counted.

    Python calls handlers in the main thread alone: in another thread nothing is to be done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
