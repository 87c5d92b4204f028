"""How far a run of predictions is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS = 10.0  # between two lines


class PredictionProgress:
    """Counts images and frames, on stderr.

    Args:
        total: how many there will be; None where that is not known.

    Attributes:
        seconds: since the start.
    """

    def __init__(self, total: int | None) -> None:
        self.total, self.done = total, 0
        self._start = self._last = time.monotonic()
        console = Console(stderr=True)
        columns = (TextColumn('predicting'), BarColumn(), MofNCompleteColumn(), TextColumn('{task.fields[rate]}'))
        self._bar = Progress(*columns, TimeRemainingColumn(), console=console) if console.is_terminal else None
        self._task = self._bar.add_task('', total=total, rate='') if self._bar else None

    def __enter__(self) -> 'PredictionProgress':
        self._start = self._last = time.monotonic()
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def advance(self, number: int = 1) -> None:
        """Count images that are done, or that cannot be."""
        self.done += number
        rate = self.done / max(self.seconds, 1e-6)
        if self._bar and self._task is not None:
            self._bar.update(self._task, advance=number, rate=f'{rate:.1f} images/s')
        elif time.monotonic() - self._last > _SECONDS:
            self._last = time.monotonic()
            of, left = '', ''
            if self.total is not None:
                of, left = f' of {self.total}', f', {max(0, self.total - self.done) / rate:.0f} s left'
            print(f'{self.done}{of} images, {rate:.1f} images/s{left}', file=sys.stderr, flush=True)
