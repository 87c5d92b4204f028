import logging

import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def logged():
    """A function that returns what has been logged since the test began, as one text."""
    logger = MMLogger.get_current_instance()
    level, messages = logger.level, []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: '\n'.join(messages)
    logger.removeHandler(handler)
    logger.setLevel(level)
