"""What a rehearsal must leave as it was, besides the model, which it copies."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator

import torch
from mmengine.logging import MessageHub, MMLogger

from ...random_states import kept_random_states


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Set the random generators and mmengine's message hub back afterwards, and keep all but log warnings off the screen."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(kept_random_states())
        stack.enter_context(_kept_message_hub())
        stack.enter_context(_silent())
        try:
            yield
        finally:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()


@contextlib.contextmanager
def _kept_message_hub() -> Iterator[None]:
    hub = MessageHub.get_current_instance()
    before = {name: copy.copy(value) if isinstance(value, dict) else value for name, value in vars(hub).items()}
    try:
        yield
    finally:
        vars(hub).update(before)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Python's warnings, which come again in the run, prints, and log lines below a warning are not shown."""
    logger = MMLogger.get_current_instance()
    handlers = list(logger.handlers)
    for handler in handlers:
        handler.addFilter(_is_warning)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_warning)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
