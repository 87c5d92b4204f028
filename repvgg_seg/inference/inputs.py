"""What an INPUT of the command line means: an image, a folder, a pattern, a video, a camera, or standard input."""

import glob
import os
import os.path as osp
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
from mmengine.logging import print_log

from ..errors import InputError, closest_names
from ..files import walk_folder

# Endings, as they are looked for in folders.
_OF_IMAGES = 'avif bmp gif jfif jp2 jpe jpeg jpg pbm pgm png pnm ppm tif tiff webp'
_OF_VIDEOS = '3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv webm wmv'
IMAGES, VIDEOS = (tuple(f'.{ending}' for ending in endings.split()) for endings in (_OF_IMAGES, _OF_VIDEOS))
KINDS = ('overlay', 'colours', 'labels')  # folders of what is written
RECORD = 'predictions.json'  # lies beside them
_ADDRESS = re.compile(r'^(rtsp|rtsps|rtmp|http|https|udp|tcp)://')
_PIPES = ('-', '/dev/stdin')
_LONGEST_LIST, _TRIED = 1 << 26, 16  # bytes of a list of paths; how many are looked at to know that it is one

Kind = Literal['image', 'video', 'camera']


@dataclass(frozen=True)
class Source:
    """One image, video or camera.

    Attributes:
        kind: what it is.
        path: of the file, as it was named; the number, device or address of a camera.
        root: the folder below which its path names what is written.
        piped: whether the file holds what came from standard input.
    """

    kind: Kind
    path: str
    root: str
    piped: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether it gives one picture after the other."""
        return self.kind != 'image'

    @property
    def shown(self) -> str:
        """How messages name it."""
        return 'standard input' if self.piped else self.path


def find_sources(words: Iterable[str], scratch: str) -> list[Source]:
    """What the words of a command line name, each file once.

    Args:
        words: paths, patterns, numbers or addresses of cameras, `-`.
        scratch: a folder for what comes from standard input.

    Raises:
        InputError: there is no such file, or a folder or a pattern holds nothing to predict.
    """
    sources: dict[str, Source] = {}
    twice = 0
    for word in words:
        for source in _sources_of(word, scratch):
            folder, name = osp.split(source.path)
            key = source.path if source.kind == 'camera' else osp.join(osp.realpath(folder), name)
            twice += key in sources
            sources.setdefault(key, source)
    if twice:
        print_log(f'inputs that are named more than once are predicted once: {twice} less', 'current')
    return list(sources.values())


def _sources_of(word: str, scratch: str) -> Iterator[Source]:
    if not word.strip('\0 '):
        raise InputError('an input without a name: name an image, a folder, a video, the number of a camera, or -')
    if word in _PIPES or _is_pipe(word):
        yield from _piped(word, scratch)
    elif _ADDRESS.match(word) or re.match(r'^/dev/video\d+$', word) or (word.isdecimal() and not osp.lexists(word)):
        yield Source('camera', word, '.')
    elif osp.isdir(word):
        found = list(_in_folder(word))
        if not found:
            raise InputError(f'{word} holds no images and no videos ({" ".join(IMAGES + VIDEOS)}): name another folder')
        yield from found
    elif osp.lexists(word):
        yield _file(word, osp.dirname(word))
    elif glob.has_magic(word):
        matching = sorted(glob.glob(word, recursive=True))
        files = [path for path in matching if not osp.isdir(path)]
        if not files:
            what = 'only folders match it' if matching else 'nothing matches it'
            raise InputError(f'no files {word}: {what}; put the pattern in quotes, or name a folder')
        root = osp.dirname(word[: re.search(r'[*?[]', word).start()])  # type: ignore[union-attr]
        yield from (_file(path, root) for path in files)
    else:
        raise InputError(f'no such file or folder: {word}{_similar(word)}')


def kind_of_file(path: str) -> Kind:
    """Whether a file is an image or a video, by its ending, or, where that tells nothing, by its first bytes."""
    ending = osp.splitext(path)[1].lower()
    if ending in IMAGES or ending in VIDEOS:
        return 'image' if ending in IMAGES else 'video'
    try:
        return 'image' if cv2.haveImageReader(path) or os.path.getsize(path) == 0 else 'video'
    except (OSError, cv2.error):
        return 'image'  # reading it says why it cannot be


def _piped(word: str, scratch: str) -> Iterator[Source]:
    """What comes through standard input or another pipe: the bytes of an image or a video, or a list of paths.

    Raises:
        InputError: it is a terminal, or empty.
    """
    if word in _PIPES and sys.stdin.isatty():
        raise InputError(
            '- reads standard input, which is a terminal here: pipe an image, a video or a list of paths in'
        )
    content = sys.stdin.buffer.read() if word in _PIPES else Path(word).read_bytes()
    if not content:
        raise InputError('standard input is empty: pipe an image, a video or a list of paths in')
    paths = _paths_in(content)
    if paths:
        yield from (_file(path, osp.dirname(path)) for path in paths if not osp.isdir(path))
        return
    path = osp.join(scratch, 'standard_input' if word in _PIPES else f'pipe_{osp.basename(word)}')
    Path(path).write_bytes(content)
    yield Source(kind_of_file(path), path, scratch, piped=True)


def _paths_in(content: bytes) -> list[str]:
    """The paths in a text, one a line or with NUL between them, as `find -print0` writes; none where it is no list of files."""
    if len(content) > _LONGEST_LIST:
        return []
    lines = content.split(b'\0') if b'\0' in content else content.splitlines()
    paths = [os.fsdecode(line) for line in lines if line.strip()]
    try:
        return paths if any(map(osp.lexists, paths[:_TRIED])) else []
    except ValueError:  # a name that no file can have
        return []


def _file(path: str, root: str) -> Source:
    return Source(kind_of_file(path), path, root or '.')


def _is_pipe(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False


def _in_folder(folder: str) -> Iterator[Source]:
    """The images and videos below a folder in the order of their names; nothing hidden, and no earlier predictions."""
    earlier = 0
    for path, folders, files in walk_folder(folder):
        if RECORD in files:
            earlier += 1
            folders[:] = [name for name in folders if name not in KINDS]
        for name in files:
            if osp.splitext(name)[1].lower() in IMAGES + VIDEOS:
                yield _file(osp.join(path, name), folder)
    if earlier:
        print_log(f'{folder}: earlier predictions in it are left out', 'current')


def _similar(word: str) -> str:
    try:
        return closest_names(osp.basename(word), os.listdir(osp.dirname(word) or '.'))
    except OSError:
        return ': its folder does not exist'
