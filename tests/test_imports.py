"""The way of the data: imports run in one direction."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'repvgg_seg'
# Who may import whom inside models/: each module those before it.
ORDER = [
    'arch',
    'plan',
    'reparam',
    'block',
    'families',
    'known_weights',
    'checkpoint_file',
    'weights',
    'repvgg',
    'batch_augment',
    'classifier',
    'convert',
    'psp_head',
    'memory_format',
]
# Who may import whom between the folders.
FOLDERS = {
    'models': set(),
    'datasets': set(),
    'deploy': {'models'},
    'evaluation': {'models', 'deploy'},
    'hooks': {'models', 'deploy'},
}
# And the modules beside the folders, which but for `errors` and `files` no folder imports.
BESIDE = {'errors': set(), 'files': set(), 'autocast': set(), 'download': {'models'}, 'preflight': {'models'}}


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
        for level, module, names in imported(path):
            for target in [module] if module else names:
                if level == 1:
                    assert ORDER.index(target) < ORDER.index(name), f'{name} imports {target}'


def test_every_module_has_a_rule():
    for folder, names in ((PACKAGE / 'models', ORDER), (PACKAGE, BESIDE)):
        assert {path.stem for path in folder.glob('*.py')} == {*names, '__init__'}
    assert {path.parent.name for path in PACKAGE.glob('*/__init__.py')} == set(FOLDERS)


@pytest.mark.parametrize('name', BESIDE)
def test_what_is_beside_the_folders(name):
    for level, module, names in imported(PACKAGE / f'{name}.py'):
        for target in [module.split('.')[0]] if module else names:
            assert level == 0 or target in BESIDE[name] | {'errors'}, f'{name} imports {target}'


@pytest.mark.parametrize('folder', FOLDERS)
def test_folders_run_one_way(folder):
    for path in (PACKAGE / folder).rglob('*.py'):
        depth = len(path.relative_to(PACKAGE).parts)
        for level, module, names in imported(path):
            if level == depth:
                for target in [module.split('.')[0]] if module else names:
                    allowed = FOLDERS[folder] | {'errors', 'files', folder}
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
