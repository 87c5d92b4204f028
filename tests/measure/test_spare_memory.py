"""What is free on the machine and in its container, from files as Linux writes them."""

import os

import pytest

from repvgg_seg.measure import spare_memory as module
from repvgg_seg.measure.spare_memory import spare_memory

GIB = 2**30
MEMINFO = 'MemTotal:       33554432 kB\nMemFree:         1048576 kB\nMemAvailable:   16777216 kB\nHugePages_Total: 0\n'  # 16 GiB


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Write the files of a system."""
    monkeypatch.setattr(module, '_PROC', tmp_path)
    monkeypatch.setattr(module, '_CGROUP', tmp_path)
    monkeypatch.delenv('LOCAL_WORLD_SIZE', raising=False)

    def system(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)

    return system


V2 = {'memory.max': str(4 * GIB), 'memory.current': str(3 * GIB), 'memory.stat': f'anon 1\ninactive_file {GIB}\n'}
V1 = {
    'memory/memory.limit_in_bytes': str(8 * GIB),
    'memory/memory.usage_in_bytes': str(4 * GIB),
    'memory/memory.stat': 'cache 1\n',
}


@pytest.mark.parametrize(
    'files, processes, expected',
    [
        ({'meminfo': MEMINFO}, 1, 12 * GIB),  # a quarter stays free
        ({'meminfo': MEMINFO}, 4, 3 * GIB),
        ({'meminfo': MEMINFO, **V2}, 1, 1.5 * GIB),  # 4 - 3 and one that can be dropped
        ({'meminfo': MEMINFO, **V2, 'memory.max': 'max\n'}, 1, 12 * GIB),
        ({'meminfo': MEMINFO, **V1}, 1, 3 * GIB),
        ({'meminfo': 'MemAvailable: 1048576 kB\n'}, 1, 0.5 * GIB),  # half a GiB stays free at least
        ({'meminfo': 'MemAvailable: 1024 kB\n'}, 1, 0),
    ],
)
def test_spare_memory(system, monkeypatch, files, processes, expected):
    system(files)
    if processes > 1:
        monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
    assert spare_memory() == expected


def test_a_system_that_does_not_tell(system, monkeypatch):
    monkeypatch.setattr(os, 'sysconf', lambda name: 1000 if name == 'SC_AVPHYS_PAGES' else 2**20)
    assert spare_memory() == (1000 - 512) * 2**20
    monkeypatch.delattr(os, 'sysconf')
    assert spare_memory() is None
