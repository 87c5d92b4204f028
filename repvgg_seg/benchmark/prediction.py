"""The command predict on the inputs of a user: time, memory, and whether each ends as its documentation says."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from ..data.read_image import read_image
from ..errors import InputError
from ..inference.inputs import RECORD, Source, find_sources
from ..inference.video import VideoReader, VideoWriter
from ..reports.benchmark_table import Row

_MIB = 2**20
_RATE = 25.0  # frames a second of the video
_FEW, _BROKEN = 20, 3  # files of the folder with broken ones
_PHOTOGRAPH = (4000, 6000)  # height, width
_NAMES = ('ein blick.jpg', 'grüße aus köln.png', '道路 標識.webp', 'дорога.jpg', "l'été #1 (100%).png", 'a[1]*.jpg')


@dataclass(frozen=True)
class Case:
    """What is predicted, and what has to come of it.

    Args:
        name: of the row.
        words: arguments of the command.
        images: that are predicted.
        broken: that are passed over.
    """

    name: str
    words: Sequence[str]
    images: int
    broken: int = 0


def measure_prediction(folder: str, options: Sequence[str], seconds: int, memory: int) -> Iterator[list[Row]]:
    """Run the command in a process for each case; a row tells the peak of the process.

    Args:
        folder: with photographs of streets, at least 20.
        options: that every run of the command gets, such as the checkpoint.
        seconds: length of the video.
        memory: MiB that the last case allows for the photograph of 6000x4000.

    Yields:
        The rows so far. `as_said` is 'yes', or what differed.

    Raises:
        InputError: the folder holds too few images.
    """
    with TemporaryDirectory(prefix='repvgg_seg_') as scratch:
        frames = [source.path for source in find_sources([folder], scratch) if source.kind == 'image']
        if len(frames) < _FEW:
            raise InputError(f'{folder} holds {len(frames)} images, and {_FEW} are needed: name a folder with more')
        rows: list[Row] = []
        for case in _cases(Path(scratch), Path(folder).resolve(), frames, seconds, memory):
            rows.append(_run(case, Path(scratch), options))
            yield rows


def _cases(scratch: Path, folder: Path, frames: list[str], seconds: int, memory: int) -> Iterator[Case]:
    yield Case('one photograph, the first call', [str(Path(frames[0]).resolve())], 1)
    yield Case(f'{len(frames)} photographs', [str(folder)], len(frames))
    number = round(seconds * _RATE)
    video = _video(scratch, frames, number)
    yield Case(f'a video of {seconds} seconds', [str(video)], number)
    _few(scratch / 'few', frames)
    yield Case(f'{_BROKEN} broken files among {_FEW}', [str(scratch / 'few')], _FEW - _BROKEN, _BROKEN)
    _named(scratch / 'grüße aus 道路', frames)
    yield Case('names with blanks and other letters', [str(scratch / 'grüße aus 道路')], len(_NAMES))
    photograph = scratch / 'large.jpg'
    large = cv2.resize(read_image(frames[0]), _PHOTOGRAPH[::-1], interpolation=cv2.INTER_CUBIC)
    photograph.write_bytes(cv2.imencode('.jpg', large)[1].tobytes())
    yield Case('a photograph of 6000x4000', [str(photograph)], 1)
    yield Case(f'the same, --memory {memory}', [str(photograph), '--memory', str(memory)], 1)


def _run(case: Case, scratch: Path, options: Sequence[str]) -> Row:
    """The row of a case."""
    out = scratch / f'out_{case.name}'
    command = [sys.executable, '-m', 'repvgg_seg.cli.main', 'predict', *case.words, '--out-dir', str(out), *options]
    env = dict(os.environ, REPVGG_SEG_CACHE=str(scratch / 'cache'))
    start = time.monotonic()
    with open(scratch / 'log.txt', 'w', encoding='utf-8') as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=scratch, env=env)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    taken = time.monotonic() - start
    row: Row = dict(name=case.name, seconds=taken, resident_mib=usage.ru_maxrss * 1024 / _MIB)
    try:
        record = json.loads((out / RECORD).read_text(encoding='utf-8'))
    except OSError:
        said = (scratch / 'log.txt').read_text(encoding='utf-8').splitlines()
        return row | dict(as_said=f'no record: {said[-1] if said else "nothing was said"}')
    row.update(
        form=record['form'],
        images=record['images'],
        examples_per_s=record['images'] / max(record['seconds'], 1e-6),
        in_tiles=record['in_tiles'],
    )
    return row | dict(as_said=', '.join(_differences(case, process.returncode, record, out)) or 'yes')


def _differences(case: Case, status: int, record: dict, out: Path) -> Iterator[str]:
    found = (status, record['images'], len(record['broken']))
    if found != (int(case.broken > 0), case.images, case.broken):
        yield f'(status, images, broken) are {found}'
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file())
    video = case.words[0].endswith('.mp4')
    expected = 1 + (1 if video else 3 * case.images)
    if len(written) != expected:
        yield f'{len(written)} files in place of {expected}'
    made = next(out.rglob('*.mp4'), None)
    if video and made is not None:
        readers = [VideoReader(Source('video', str(path), '.')) for path in (case.words[0], made)]
        shapes = [(reader.rate, sum(1 for _ in reader.frames())) for reader in readers]
        if shapes[0] != shapes[1]:
            yield f'(rate, frames) are {shapes[1]} in place of {shapes[0]}'


def _video(scratch: Path, frames: list[str], number: int) -> Path:
    first = read_image(frames[0])
    height, width = (side // 2 * 2 for side in first.shape[:2])
    writer = VideoWriter(scratch / 'drive', _RATE, (height, width))
    for path in islice(cycle(frames), number):
        writer.write(cv2.resize(read_image(path), (width, height))[..., ::-1])
    writer.close()
    return writer.path


def _few(folder: Path, frames: list[str]) -> None:
    """Twenty files, of which one is cut off, one is empty and one is a text."""
    folder.mkdir()
    for number, path in enumerate(frames[: _FEW - _BROKEN]):
        (folder / f'{number:02}{Path(path).suffix}').write_bytes(Path(path).read_bytes())
    content = cv2.imencode('.jpg', read_image(frames[0]))[1].tobytes()
    for name, broken in (('cut.jpg', content[: len(content) // 2]), ('empty.png', b''), ('text.jpg', b'no image')):
        (folder / name).write_bytes(broken)


def _named(folder: Path, frames: list[str]) -> None:
    folder.mkdir()
    for name, path in zip(_NAMES, frames, strict=False):
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix, read_image(path))[1].tobytes())
