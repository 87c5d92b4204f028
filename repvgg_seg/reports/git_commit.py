"""The commit of this project that a measurement was made with."""

import os
import re
import subprocess
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# What a measurement depends on: a record that is written over in results/ does not change the code.
_MEASURED = ('repvgg_seg', 'configs')


def git_commit(package: Path = _PACKAGE) -> tuple[str, bool] | None:
    """The commit of the checkout that the package stands in, and whether its code or configs differ from that commit.

    `mmengine.utils.get_git_hash` is not used because it asks in the current folder, which may belong to another
    repository.

    Args:
        package: the folder of the package.

    Returns:
        None for a package that is installed or stands in a repository of another project, and where git fails.
    """
    folder = package.parent
    if not (folder / '.git').exists() or not _is_this_project(folder):
        return None
    command = [
        'git',
        '--no-optional-locks',
        '-C',
        str(folder),
        'status',
        '--porcelain=v2',
        '--branch',
        '--',
        *_MEASURED,
    ]
    # In a git hook these variables may name another repository.
    environ = {name: value for name, value in os.environ.items() if not name.startswith('GIT_')}
    try:
        done = subprocess.run(command, capture_output=True, encoding='utf-8', errors='replace', env=environ, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit = re.search(r'^# branch\.oid ([0-9a-f]+)$', done.stdout, re.MULTILINE)
    if done.returncode or commit is None:
        return None
    return commit[1], any(not line.startswith('#') for line in done.stdout.splitlines())


def _is_this_project(folder: Path) -> bool:
    """Whether the files that name a Python project name this one."""
    files = [path for path in map(folder.joinpath, ('setup.cfg', 'pyproject.toml')) if path.is_file()]
    texts = [path.read_text(encoding='utf-8', errors='replace') for path in files]
    return any(re.search(r'^name\s*=\s*"?repvgg[_-]seg"?\s*$', text, re.MULTILINE) for text in texts)
