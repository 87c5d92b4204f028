"""The code blocks of README.md and docs/, and the commands in them."""

import os
import re
import subprocess

from helpers import REPO

PAGES = [REPO / name for name in ('README.md', 'CONTRIBUTING.md', 'SECURITY.md')] + sorted((REPO / 'docs').glob('*.md'))
# In the place of each, a function of the shell that prints the words of the command. `tools/*.sh` are files, as a shell wants it.
_PROGRAMS = ('python', 'repvgg-seg', 'make', 'pip', 'pre-commit', 'diff', 'find')
_PRINT = 'printf \'%s\\0\' {name} "$@"; echo'


def blocks(page, language):
    """The code blocks of a page in one language, 'sh' or 'python'."""
    return re.findall(rf'^```{language}\n(.*?)^```', page.read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE)


def commands(block, folder):
    """The words of every command of a block, as the shell splits them and puts its variables in.

    Args:
        block: shell code.
        folder: where it runs. `cp`, `cd` and the like are run there; of programs, only the words are noted.
    """
    (folder / 'tools').mkdir(exist_ok=True)
    for script in (REPO / 'tools').glob('*.sh'):
        stand_in = folder / 'tools' / script.name
        stand_in.write_text(f'#!/bin/bash\n{_PRINT.format(name="tools/" + script.name)}\n')
        stand_in.chmod(0o755)
    (folder / '.venv' / 'bin').mkdir(parents=True, exist_ok=True)
    (folder / '.venv' / 'bin' / 'activate').touch()
    if not (folder / 'configs').exists():
        os.symlink(REPO / 'configs', folder / 'configs')
    functions = [f'{name}() {{ {_PRINT.format(name=name)}; }}' for name in _PROGRAMS]
    script = '\n'.join([*functions, block])
    done = subprocess.run(['bash', '-ec', script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f'{block}\n{done.stderr}'
    return [line.split('\0')[:-1] for line in done.stdout.splitlines()]
