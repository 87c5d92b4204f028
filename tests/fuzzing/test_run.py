"""Cases are repeatable, and what may not happen is found."""

import os
import time
from pathlib import Path
from random import Random

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.fuzzing import run
from repvgg_seg.fuzzing.mutations import mutate_bytes, mutate_png, mutate_text

pytestmark = pytest.mark.slow


class Faulty:
    """Does in every case what none may do."""

    def __init__(self, folder):
        (folder / 'seed.bin').write_bytes(b'seed')

    def make(self, random, files, folder):
        return dict(path=folder, kind=KIND)

    def read(self, path, kind):
        if kind == 'crash':
            os.abort()
        if kind == 'hang':
            time.sleep(60)
        if kind == 'write':
            Path(OUTSIDE, 'x').write_text('x')
        if kind == 'run':
            os.system('true')
        if kind == 'error':
            raise KeyError('a')
        if kind == 'exit':
            raise SystemExit(2)
        if kind == 'refused':
            raise InputError('what came; what to do')


KIND = OUTSIDE = ''


@pytest.mark.parametrize(
    'kind, said',
    [
        ('read', ''),
        ('refused', ''),
        ('crash', 'died with exit status -6'),
        ('hang', 'hangs: no end'),
        ('write', 'open writes'),
        ('run', 'os.system'),
        ('error', "KeyError: 'a'"),
        ('exit', 'SystemExit: 2'),
    ],
)
def test_what_may_not_happen_is_found(monkeypatch, tmp_path, kind, said):
    monkeypatch.setitem(run.TARGETS, 'faulty', Faulty)
    monkeypatch.setattr(run, '_SECONDS', 0.5)
    monkeypatch.setattr(f'{__name__}.KIND', kind)
    monkeypatch.setattr(f'{__name__}.OUTSIDE', str(tmp_path))
    result = run.fuzz('faulty', 0, 60, [], most=2)
    assert result.cases == 2
    assert [number for number, _ in result.findings] == ([0, 1] if said else [])
    assert all(said in fault for _, fault in result.findings)


@pytest.mark.parametrize('name', run.TARGETS)
def test_damaged_files_end_in_success_or_a_message(name):
    result = run.fuzz(name, 1, 60, [], most=20)
    assert result.findings == [] and result.cases == 20
    assert result.ends[run.REFUSED] > 5


def test_a_case_is_repeated(tmp_path):
    made = []
    for place in (tmp_path / 'a', tmp_path / 'b'):
        place.mkdir()
        target, files = run.prepare('label', [], place)
        made.append([target.make(Random(f'label 0 {i}'), files, place)['path'].read_bytes() for i in range(9)])
    assert made[0] == made[1] and len(set(made[0])) == 9


def test_mutations_change_something():
    png = b'\x89PNG\r\n\x1a\n' + b'\0\0\0\x01IDATx\0\0\0\0'
    for seed in range(20):
        assert mutate_png(png, Random(seed)) != png
    assert sum(mutate_bytes(b'abc' * 99, Random(seed)) != b'abc' * 99 for seed in range(20)) > 15
    assert sum(mutate_text('a = [1, 2]\n', Random(seed)) != 'a = [1, 2]\n' for seed in range(20)) > 15
