"""What the files of predictions are called: no two inputs share a name, and no name leads out of its folder."""

import hashlib
import os
import os.path as osp
from collections.abc import Sequence
from pathlib import Path

from ..evaluation.prediction_names import below, common_folder, unlike_names
from .inputs import Source

PICTURE, LOSSLESS = '.jpg', '.png'
FILM, FILM_OF_ODD_SIZE = '.mp4', '.avi'
_LONGEST = 200  # bytes of a file name, of which systems take 255: an ending and that of a temporary file are added
_ENDINGS = {False: (PICTURE, LOSSLESS), True: (FILM, FILM_OF_ODD_SIZE)}


def output_names(sources: Sequence[Source]) -> dict[Source, Path]:
    """A relative path without an ending for each source.

    Names begin below the folder that the inputs have in common. Inputs that differ in their ending alone keep it.
    """
    files = [source for source in sources if source.kind != 'camera' and not source.piped]
    common = common_folder(list(dict.fromkeys(Path(osp.abspath(source.root)) for source in files)))
    relative = {source: Path(_name_of_stream(source)) for source in sources}
    relative.update({source: below(Path(osp.abspath(source.path)), common) for source in files})
    names = unlike_names(relative)
    taken: set[Path] = set()
    folders: set[Path] = set()
    chosen = {}
    for source in sources:
        wanted = _short(names[source])
        name, times = wanted, 1
        while not _is_free(name, source, taken, folders):
            times += 1
            name = wanted.with_name(f'{wanted.name}_{times}')
        taken.update(_files_of(name, source))
        folders.update(name.parents)
        chosen[source] = name
    return chosen


def _files_of(name: Path, source: Source) -> list[Path]:
    """What is written under a name: files, and for a video a folder that holds nothing else."""
    files = [name.with_name(name.name + ending) for ending in _ENDINGS[source.is_stream]]
    return [*files, name] if source.is_stream else files


def _is_free(name: Path, source: Source, taken: set[Path], folders: set[Path]) -> bool:
    own = set(_files_of(name, source))
    return not own & (taken | folders) and not set(name.parents) & taken


def _name_of_stream(source: Source) -> str:
    if source.piped:
        return osp.basename(source.path)
    letters = ''.join(c if c.isalnum() else '_' for c in source.path.rpartition('@')[2])  # without user and password
    return f'camera_{letters.removeprefix("_dev_")[:60]}'


def _short(name: Path) -> Path:
    """A path whose parts systems take as file names; what is cut off stands in it as a sum."""
    return Path(*(_short_part(part) for part in name.parts))


def _short_part(part: str) -> str:
    content = os.fsencode(part)
    if len(content) <= _LONGEST:
        return part
    digest = hashlib.sha256(content).hexdigest()[:8]
    return f'{os.fsencode(part)[: _LONGEST - 9].decode("utf-8", errors="ignore")}_{digest}'
