"""What a training notes of itself when it starts: its command and its environment."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from ..invocation import as_typed
from .record import write_record

NAME = 'run.json'  # in the folder of the log


def write_run_record(folder: str, config: str, processes: int) -> None:
    """Note the command and the environment of a training that starts.

    Args:
        folder: that of its log.
        config: as the command line names it.
        processes: how many train together.
    """
    write_record(
        str(Path(folder) / NAME),
        command=as_typed('train', *sys.argv[1:]),
        config=config,
        processes=processes,
        started=time.strftime('%Y-%m-%d %H:%M:%S'),
    )


def read_run_record(folder: Path) -> dict[str, Any]:
    """The note of a training; empty where there is none, as of a training with an earlier version."""
    try:
        record = json.loads((folder / NAME).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
