"""Keeps unintended messages of upstream packages off the screen.

Each message is named here with its source. Everything else is shown. `quiet_imports` and `quiet_warnings` put back what they
replace; `quiet_log` filters the screen handlers of one logger.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Printed at import: mmseg/datasets/__init__.py and mmseg/datasets/transforms/__init__.py of the maintained fork mean a debug
# line about an optional package, but give `print_log` no logger, so that it prints.
_PRINTED = ('Could not import OneDL',)

_WARNED = re.compile(
    '|'.join(
        (
            # mmengine/model/wrappers/distributed.py, for the argument that mmengine itself gives to every model.
            r'`broadcast_buffers` is deprecated',
            # mmcv/cnn/bricks/transformer.py, at the import of every mmcv without compiled operators; nothing here uses them.
            r'Fail to import ``MultiScaleDeformableAttention`` from',
            # mmengine/utils/manager.py, where a second Runner starts within the same second as another.
            r"<class 'mmengine\.(registry\.default_scope\.DefaultScope|logging\.logger\.MMLogger)'> instance named of",
            # mmengine/structures/pixel_data.py, where mmseg's SegTTAModel stores its labels of (H, W).
            r'The shape of value will convert from torch\.Size',
            # mmseg/models/losses/cross_entropy_loss.py, for every loss of a config that leaves its default; also in a test.
            r'Default ``avg_non_ignore`` is False',
            # mmseg/models/builder.py and mmseg/structures/sampler/builder.py, which mmseg 1.2.2 itself calls for every head.
            r'``build_(loss|pixel_sampler)`` would be deprecated soon',
            # mmseg/engine/hooks/visualization_hook.py, where a config keeps mmseg's default.
            r'The draw is False, it means that the hook for visualization will not take effect',
        )
    )
)

_LOGGED = re.compile(
    '|'.join(
        (
            # mmengine/optim/optimizer/default_constructor.py: a line or two for every parameter that paramwise_cfg concerns.
            r'paramwise_options -- ',
            # mmengine/evaluator/metric.py: no metric of mmseg has a prefix.
            r'The prefix is not set in metric class ',
            # mmengine/fileio/file_client.py: mmengine's own CheckpointHook uses what mmengine calls deprecated.
            r'"FileClient" will be deprecated in future',
            r'"HardDiskBackend" is the alias of "LocalBackend"',
            # mmengine/runner/runner.py, at the start of every run: hundreds of lines, among which others are overlooked. The
            # layers that it says are reverted have been replaced before.
            r'\n-+\nSystem environment:',
            r'Config:\n',
            r'Hooks will be executed in the following order:',
            r'Distributed training is not used, all SyncBatchNorm',
        )
    )
)


@contextmanager
def quiet_warnings() -> Iterator[None]:
    """Do not show the warnings named above.

    `warnings.showwarning` is replaced, and not the list of filters: packages add filters of their own at import, which stay.
    """
    show = warnings.showwarning

    def show_others(message: Warning | str, *args: Any, **kwargs: Any) -> None:
        if not _WARNED.match(str(message)):
            show(message, *args, **kwargs)

    warnings.showwarning = show_others
    try:
        yield
    finally:
        if warnings.showwarning is show_others:
            warnings.showwarning = show


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Import mmseg and mmcv without the lines and warnings named above."""
    # Its `print_log` calls `print`, a name that is looked up in the module before the builtins.
    from mmengine.logging import logger

    def print_others(*values: object, **kwargs: Any) -> None:
        if not values or values[0] not in _PRINTED:
            print(*values, **kwargs)

    vars(logger)['print'] = print_others
    try:
        with quiet_warnings():
            yield
    finally:
        del vars(logger)['print']


def quiet_log(logger: logging.Logger) -> None:
    """Keep the log lines named above from the screen; the log file gets them."""
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(_is_meant)


def _is_meant(record: logging.LogRecord) -> bool:
    return not _LOGGED.match(record.getMessage())
