"""The way of the data: imports run in one direction."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'repvgg_seg'
# Who may import whom inside models/: each module those before it.
ORDER = ['arch', 'plan', 'reparam', 'block', 'weights', 'repvgg', 'classifier']
# Who may import whom between the folders.
FOLDERS = {
    'models': set(),
    'datasets': set(),
    'deploy': {'models'},
    'evaluation': {'models', 'deploy'},
    'hooks': {'models', 'deploy'},
}


def imported(path):
    """(level, module, names) of the imports in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.level, node.module or '', [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name, []


def test_models_run_one_way():
    for name in ORDER:
        path = PACKAGE / 'models' / f'{name}.py'
        for level, module, _ in imported(path):
            if level == 1 and module in ORDER:
                assert ORDER.index(module) < ORDER.index(name), f'{name} imports {module}'


@pytest.mark.parametrize('folder', FOLDERS)
def test_folders_run_one_way(folder):
    for path in (PACKAGE / folder).rglob('*.py'):
        depth = len(path.relative_to(PACKAGE).parts)
        for level, module, names in imported(path):
            if level == depth:
                for target in [module.split('.')[0]] if module else names:
                    allowed = FOLDERS[folder] | {'errors', folder}
                    assert target in allowed, f'{path.relative_to(PACKAGE)} imports {target}'


@pytest.mark.parametrize(
    'name, allowed',
    [
        ('arch', {'collections', 'dataclasses'}),
        ('plan', {'dataclasses'}),
        ('reparam', {'torch'}),
    ],
)
def test_what_needs_little(name, allowed):
    roots = {module.split('.')[0] for level, module, _ in imported(PACKAGE / 'models' / f'{name}.py') if level == 0}
    assert roots <= allowed


def test_nothing_depends_on_the_fork():
    for path in PACKAGE.rglob('*.py'):
        assert not any(module.startswith('onedl') for _, module, _ in imported(path)), path
