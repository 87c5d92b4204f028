"""The checkpoints in a work dir: their names, which of them is the latest that is whole, and the file `last_checkpoint`."""

import logging
import os
import os.path as osp
import re
import zipfile
from collections.abc import Iterator

from mmengine.config import Config
from mmengine.logging import print_log

from ..files import replacing

LAST = 'last_checkpoint'  # mmengine's file, which names the checkpoint that was written last
_NUMBERED = re.compile(r'(epoch|iter)_\d+')
_NUMBER = re.compile(r'\d+')


def latest_checkpoint(folder: str, out_dir: str | None = None) -> str | None:
    """The latest checkpoint of an earlier run that is whole; None where there is none.

    The one that `last_checkpoint` names comes first, then the others, the one with the most iterations first. Each that is cut short
    is passed over with a line in the log.

    Args:
        folder: the work dir.
        out_dir: where the checkpoints are, where that is not the work dir.
    """
    for path in _candidates(folder, out_dir or folder):
        fault = fault_of_checkpoint(path)
        if not fault:
            return path
        print_log(
            f'passed over {path}: {fault}; the run goes on from the checkpoint before', 'current', logging.WARNING
        )
    return None


def first_checkpoint_name(folder: str, out_dir: str | None = None) -> str | None:
    """The name of a checkpoint that an earlier run has left in a work dir, whole or not, the best ones included."""
    named = last_named(folder)
    if named:
        return osp.basename(named)
    names = [*map(osp.basename, _by_number(out_dir or folder)), *_names(out_dir or folder, best=True)]
    return names[0] if names else None


def checkpoint_folder(cfg: Config) -> str:
    """Where `CheckpointHook` puts the checkpoints of a run: in `out_dir` below the name of the work dir, or in the work dir."""
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    out_dir = hook.get('out_dir')
    work_dir: str = cfg.work_dir
    return osp.join(out_dir, osp.basename(work_dir.rstrip(os.sep))) if out_dir else work_dir


def last_named(folder: str) -> str | None:
    """What `last_checkpoint` of a folder holds; None where there is no such file, or nothing in it."""
    try:
        with open(osp.join(folder, LAST), encoding='utf-8', errors='replace') as file:
            return file.read().strip() or None
    except OSError:
        return None


def write_last_named(folder: str, path: str) -> None:
    """Let `last_checkpoint` name a checkpoint relative to its folder, so that it is right in a copy of the folder, too."""
    name = path if '://' in path else osp.relpath(path, folder)
    with replacing(osp.join(folder, LAST)) as temporary:
        temporary.write_text(name, encoding='utf-8')


def fault_of_checkpoint(path: str) -> str:
    """Why a checkpoint cannot be whole; '' for one that is, as far as its length and its sums tell.

    What `torch.save` writes is a zip archive, whose index is at its end, with a sum for each of its tensors.
    """
    if '://' in path:
        return ''
    if not osp.isfile(path):
        return 'there is no such file'
    size = osp.getsize(path)
    try:
        with open(path, 'rb') as file:
            head = file.read(4)
        if head.startswith(b'\x80'):  # a pickle, as torch wrote it before it wrote archives; it has no sums
            return ''
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        return f'it is cut short or damaged ({size:,} bytes, {error})'
    return f'it is damaged ({size:,} bytes, the sum of {damaged} is another)' if damaged else ''


def _candidates(folder: str, out_dir: str) -> Iterator[str]:
    """The checkpoints to go on from, the most probable first.

    `last_checkpoint` held an absolute path in earlier versions and holds one in mmengine's: the file of that name beside it is meant,
    since the folder may be a copy of the one that the path leads to.
    """
    named, found = last_named(folder), _by_number(out_dir)
    if named and '://' in named:
        yield named
        return
    if named:
        places = [osp.join(out_dir, osp.basename(named)), osp.join(folder, osp.basename(named))]
        if not osp.isabs(named):
            places += [osp.join(folder, named), named]
        elif not found:  # an out_dir that the config names no more
            places.append(named)
        first = next(filter(osp.isfile, places), places[0])
        yield first
        found = [path for path in found if path != first]
    yield from found


def _by_number(folder: str) -> list[str]:
    """The checkpoints that a run can go on from, the one with the greatest number of epochs or iterations first."""
    names = _names(folder, best=False)
    times = {name: osp.getmtime(osp.join(folder, name)) for name in names}
    names.sort(key=lambda name: ([int(number) for number in _NUMBER.findall(name)], times[name]), reverse=True)
    return [osp.join(folder, name) for name in names]


def _names(folder: str, best: bool) -> list[str]:
    """The names of the checkpoints in a folder: those that are numbered, or the best ones. Published ones are neither."""
    if not osp.isdir(folder):
        return []
    found = sorted(name for name in os.listdir(folder) if name.endswith('.pth') and not name.startswith('.'))
    if best:
        return [name for name in found if name.startswith('best_')]
    return [
        name
        for name in found
        if _NUMBERED.search(name) and not name.startswith('best_') and not re.search(r'-[0-9a-f]{8}\.pth$', name)
    ]
