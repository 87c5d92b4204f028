"""The log file of a run, for what is not meant for the screen."""

import logging

from mmengine.logging import MMLogger


def write_to_log_file(text: str) -> str | None:
    """Write lines into the log file of the current run, and not on the screen.

    Returns:
        The path of the file; None where the run has none yet, or where this process writes none.
    """
    logger = MMLogger.get_current_instance()
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, text, (), None)
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.emit(record)
            return handler.baseFilename
    return None
