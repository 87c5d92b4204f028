import sys
from pathlib import Path

import pytest

import repvgg_seg
from repvgg_seg.cli import main as module
from repvgg_seg.cli.main import COMMANDS, main

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
CLI = Path(module.__file__).parent


def ended(capsys, *arguments):
    """Run the command: exit status, stdout, stderr."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code, *capsys.readouterr()


def test_every_tool_is_a_command():
    tools = {path.stem for path in TOOLS.glob('*.py')} - {'update_results'}  # which is for this repository alone
    assert {name.replace('-', '_') for name in COMMANDS} == tools
    assert all((CLI / f'{name}.py').is_file() for name in tools)


def test_help_has_a_line_for_each_command(capsys):
    status, out, _ = ended(capsys, '--help')
    assert status == 0 and out.startswith('usage: repvgg-seg ')
    for name, purpose in COMMANDS.items():
        assert [name, purpose] in [line.split(maxsplit=1) for line in out.splitlines()]


def test_help_imports_no_tool(capsys, monkeypatch):
    monkeypatch.setattr(module, 'import_module', lambda name: pytest.fail(f'{name} was imported'))
    ended(capsys, '--help')
    ended(capsys, '--version')


def test_version(capsys):
    assert ended(capsys, '--version')[:2] == (0, f'repvgg-seg {repvgg_seg.__version__}\n')


def test_nothing_named(capsys):
    status, _, err = ended(capsys)
    assert status == 2 and err.endswith('name a command; --help lists them\n')


def test_an_unknown_option(capsys):
    status, _, err = ended(capsys, '--verbose', 'train')
    assert status == 2 and '--verbose' in err


@pytest.mark.parametrize(
    'name, message',
    [
        ('tran', 'error: no command tran: did you mean train? `repvgg-seg --help` lists the commands\n'),
        ('xyz', 'error: no command xyz: `repvgg-seg --help` lists the commands\n'),
    ],
)
def test_an_unknown_command(capsys, name, message):
    assert ended(capsys, name) == (2, '', message)


@pytest.mark.parametrize('name', [*COMMANDS, 'make_synthetic_scenes', 'convert_weights'])
def test_help_of_a_command(capsys, monkeypatch, name):
    monkeypatch.setattr(sys, 'argv', ['repvgg-seg'])
    status, out, _ = ended(capsys, name, '--help')
    assert status == 0 and out.startswith(f'usage: repvgg-seg {name.replace("_", "-")} [-h]')


def test_arguments_reach_the_command(capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['repvgg-seg', 'train', 'nothing_like_it'])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith('error: no config nothing_like_it: ')
