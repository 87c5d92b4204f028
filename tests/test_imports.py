"""The way of the data: the rooms of the package import in one direction."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'repvgg_seg'
# Each room imports from itself and from those before it.
ROOMS = [
    'version',
    'registry',
    'errors',
    'invocation',
    'random_states',
    'quiet',
    'files',
    'measure',
    'weight_names',
    'models',
    'data',
    'synthetic',
    'weights',
    'optimize',
    'export',
    'evaluation',
    'reports',
    'training',
    'pruning',
    'inference',
    'benchmark',
    'fuzzing',
    'cli',
]


def imported(path):
    """(module, names) of the imports in a file; those of this package as `repvgg_seg.room...`."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom):
            above = '.'.join(package[: len(package) - node.level + 1]) if node.level else ''
            module = '.'.join(filter(None, (above, node.module)))
            yield module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []


def rooms_imported(path):
    for module, names in imported(path):
        parts = module.split('.')
        if parts[0] == PACKAGE.name:
            yield from parts[1:2] or names


def test_every_room_has_its_place():
    found = {path.stem for path in PACKAGE.glob('*.py')} | {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    assert found - {'__init__', '__main__'} == set(ROOMS)


@pytest.mark.parametrize('room', ROOMS)
def test_rooms_import_one_way(room):
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for path in [*(PACKAGE / room).rglob('*.py'), *PACKAGE.glob(f'{room}.py')]:
        for target in rooms_imported(path):
            assert target in allowed, f'{path.relative_to(PACKAGE)} imports {target}'


@pytest.mark.parametrize(
    'name, allowed',
    [
        ('archs', {'collections', 'dataclasses', 'typing', 'repvgg_seg'}),
        ('stride_dilation_plan', {'collections', 'dataclasses', 'repvgg_seg'}),
        ('fusion_algebra', {'torch'}),
    ],
)
def test_what_needs_little(name, allowed):
    assert {module.split('.')[0] for module, _ in imported(PACKAGE / 'models' / f'{name}.py')} <= allowed


def test_nothing_depends_on_the_fork():
    for path in PACKAGE.rglob('*.py'):
        assert not any(module.startswith('onedl') for module, _ in imported(path)), path


def test_without_openmmlab_packages_the_import_names_both_sets():
    code = (
        'import importlib.util as u; find = u.find_spec\n'
        "u.find_spec = lambda name, *a: None if name == 'mmseg' else find(name, *a)\n"
        'import repvgg_seg'
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert run.stderr.splitlines()[-1].startswith(
        'ImportError: repvgg_seg needs mmcv, mmengine and mmsegmentation: pip'
    )
    assert "'repvgg_seg[onedl]'" in run.stderr and "'repvgg_seg[upstream]'" in run.stderr
