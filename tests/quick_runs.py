"""Three things that take longer than what most tests ask of a run, made quick in each process of the suite.

mmengine formats a config with yapf each time that it logs it or stores it in a file or a checkpoint, which is most of the time that
a run of four iterations takes. The statements of a config are formatted one by one, so each text of a statement is formatted once.

When a loader begins anew within an IterBasedTrainLoop, mmengine sleeps for two seconds, against a deadlock of the loader's workers.

When a Runner is given up, torch waits for five seconds for each of its workers, which nothing tells any more to end.
"""

import ast
from types import SimpleNamespace

from mmengine.config import config
from mmengine.runner import loops
from torch.utils.data import _utils
from yapf.yapflib import yapf_api

FORMATTED: dict[tuple[str, str], str] = {}
"""What yapf makes of each statement in each style; who starts another process gives it these."""
format_code = yapf_api.FormatCode


def make_runs_quick(formatted=()):
    """Change mmengine and torch in this process; `formatted` is the `FORMATTED` of another one."""
    FORMATTED.update(formatted)
    yapf_api.FormatCode = format_statements
    if hasattr(config, 'FormatCode'):  # it was imported there by mmengine 0.10.7
        config.FormatCode = format_statements
    loops.time = SimpleNamespace(sleep=lambda seconds: None)
    _utils.MP_STATUS_CHECK_INTERVAL = 0.5


def format_statements(text, **style):
    """What yapf's `FormatCode` returns for the text of a config: the formatted text, and whether it differs."""
    lines = text.splitlines(keepends=True)
    spans = [(statement.lineno - 1, statement.end_lineno) for statement in ast.parse(text).body]
    if [line for span in spans for line in range(*span)] != list(range(len(lines))):
        return format_code(text, **style)  # comments or blank lines, which a config of mmengine does not have
    found = []
    for first, end in spans:
        key = ''.join(lines[first:end]), repr(style)
        if key not in FORMATTED:
            FORMATTED[key] = format_code(key[0], **style)[0]
        found.append(FORMATTED[key])
    return ''.join(found), ''.join(found) != text
