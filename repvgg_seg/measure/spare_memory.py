"""The memory of this machine that a model may take."""

import os
from pathlib import Path

_MARGIN = 2**29  # bytes that always stay free, and a quarter of what is free: images, other programs
_PROC, _CGROUP = Path('/proc'), Path('/sys/fs/cgroup')
# The limit of a container, what it uses, and the part of that in files which the kernel can drop: cgroups of version 2 and 1.
_CONTAINERS = (
    ('memory.max', 'memory.current', 'memory.stat', 'inactive_file'),
    ('memory/memory.limit_in_bytes', 'memory/memory.usage_in_bytes', 'memory/memory.stat', 'total_inactive_file'),
)


def spare_memory() -> int | None:
    """Bytes of RAM that this process may take beside what it holds; None where the system does not tell.

    It is what is free on the machine and within the limit of its container, less a margin, and shared with the processes of a
    distributed run on the same machine.
    """
    free = [size for size in (_free_on_machine(), *map(_free_in_container, _CONTAINERS)) if size is not None]
    if not free:
        return None
    left = min(free) // int(os.environ.get('LOCAL_WORLD_SIZE', 1))  # torchrun sets it
    return max(0, min(left - left // 4, left - _MARGIN))


def _free_on_machine() -> int | None:
    """What the machine has available, caches that can be dropped included."""
    try:
        sizes = numbers_of_lines((_PROC / 'meminfo').read_text(encoding='utf-8'))
        return sizes['MemAvailable:'] * 1024
    except (OSError, KeyError):
        pass
    try:  # other systems than Linux, as far as they tell
        return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (AttributeError, OSError, ValueError):
        return None


def _free_in_container(files: tuple[str, str, str, str]) -> int | None:
    """What the limit of the container leaves; None where there is none."""
    limit, used, statistics, droppable = files
    try:
        most, held, rest = ((_CGROUP / name).read_text(encoding='utf-8') for name in (limit, used, statistics))
        return int(most) - int(held) + numbers_of_lines(rest).get(droppable, 0)
    except (OSError, ValueError):  # the limit of version 2 may be 'max'
        return None


def numbers_of_lines(text: str) -> dict[str, int]:
    """The first number of every line by the word before it."""
    lines = [line.split() for line in text.splitlines()]
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
