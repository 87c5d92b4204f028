"""What `optimize_for_inference` measures to choose by, kept from call to call in a file of the user's cache directory."""

import json
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch
from mmengine.logging import print_log

from ..files import replacing
from ..measure.device_name import device_name
from ..version import __version__

VARIABLE = 'REPVGG_SEG_CACHE'  # names another folder
_NAME = 'measurements.json'
_MOST = 10_000  # entries of the file; the oldest go first
Figures = dict[str, float]


def cache_folder() -> Path:
    """Where the file is: the folder that `REPVGG_SEG_CACHE` names, or `repvgg_seg` in the user's cache directory."""
    if os.environ.get(VARIABLE):
        return Path(os.path.expanduser(os.environ[VARIABLE]))
    if sys.platform == 'win32':
        caches = os.environ.get('LOCALAPPDATA') or '~/AppData/Local'
    elif sys.platform == 'darwin':
        caches = '~/Library/Caches'
    else:
        caches = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(os.path.expanduser(caches)) / 'repvgg_seg'


class Measurements:
    """Figures by a text that says what was measured, together with processor, threads and versions.

    A file that cannot be read or written is no error: a line in the log says so, and everything is measured.

    Args:
        folder: where the file is; None to keep nothing beyond this object.
        anew: measure once more what the file holds, and keep the new figures.
    """

    def __init__(self, folder: Path | None = None, anew: bool = False):
        self._path = None if folder is None else folder / _NAME
        self._complained = False
        self._known: dict[str, Figures] = {} if anew else self._read()
        self._new: dict[str, Figures] = {}

    def get(
        self, what: str, names: Collection[str], device: torch.device, measure: Callable[[], Mapping[str, float]]
    ) -> Figures:
        """The figures of a measurement, taken now unless they are known.

        Args:
            what: says all that the figures depend on, apart from the machine and the versions.
            names: of the figures.
            device: where it is measured.
            measure: measures it.
        """
        known = self.known(what, names, device)
        if known is None:
            if self._path is not None and not self._new:
                print_log(
                    f'optimize: measuring what is fastest here, once; the figures are kept in {self._path}', 'current'
                )
            known = dict(measure())
            self.note(what, known, device)
        return known

    def known(self, what: str, names: Collection[str], device: torch.device) -> Figures | None:
        """The figures of a measurement, as `get` takes it, that was taken before; None where there are none."""
        figures = self._known.get(_key(what, device), {})
        return figures if figures.keys() == set(names) else None

    def note(self, what: str, figures: Figures, device: torch.device) -> None:
        """Remember the figures of a measurement, as `get` takes it."""
        key = _key(what, device)
        self._known[key] = self._new[key] = figures

    def save(self) -> None:
        """Add what was measured to the file, which other processes may have written meanwhile."""
        if self._path is None or not self._new:
            return
        kept = {key: figures for key, figures in self._read().items() if key not in self._new} | self._new
        self._new = {}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as temporary:
                temporary.write_text(json.dumps(dict(list(kept.items())[-_MOST:]), indent=0), encoding='utf-8')
        except OSError as error:
            self._say('write', error)
            self._path = None

    def _read(self) -> dict[str, Figures]:
        """What the file holds; nothing where there is none or it is damaged."""
        if self._path is None or not os.path.lexists(self._path):
            return {}
        try:
            found = json.loads(self._path.read_text(encoding='utf-8'))
            if isinstance(found, dict) and all(map(_are_figures, found.values())):
                return found
            raise ValueError('it holds something else than figures')
        except (OSError, ValueError, RecursionError) as error:
            self._say('read', error)
            return {}

    def _say(self, verb: str, error: Exception) -> None:
        """Log what goes wrong, once."""
        if self._complained:
            return
        self._complained = True
        print_log(
            f'optimize: cannot {verb} {self._path}, whose figures are measured anew: {error}; {VARIABLE} names another folder',
            'current',
            logging.WARNING,
        )


def _are_figures(value: object) -> bool:
    return isinstance(value, dict) and all(type(figure) in (int, float) for figure in value.values())


def _key(what: str, device: torch.device) -> str:
    """The text under which figures are kept: what was measured, and what every measurement depends on."""
    arithmetic = (
        f'tf32 {torch.backends.cudnn.allow_tf32}' if device.type == 'cuda' else f'{torch.get_num_threads()} threads'
    )
    return f'{what} | {device_name(device)}, {arithmetic}, torch {torch.__version__}, repvgg_seg {__version__}'
