"""How commands and configs are called: in a clone tools/NAME.py and configs/NAME.py, elsewhere by their names."""

import shlex
import sys
from pathlib import Path

_CLONE = Path(__file__).resolve().parents[1]  # where the package stands in a clone of the project


def command_line(name: str) -> tuple[list[str], str]:
    """How a tool is started from the current folder.

    Args:
        name: name of the tool, such as 'train' or 'make_synthetic_scenes'.

    Returns:
        The words for `subprocess`, and the text that a user types.
    """
    tool = f'tools/{name}.py'
    if _is_ours(tool):
        return [sys.executable, tool], f'python {tool}'
    command = name.replace('_', '-')
    return [sys.executable, '-m', 'repvgg_seg.cli.main', command], f'repvgg-seg {command}'


def config_name(name: str) -> str:
    """'configs/NAME.py' in a clone of the project; elsewhere the name of the packaged config.

    Args:
        name: name of the config, such as 'pspnet_repvgg_b2' or 'imagenet/repvgg_a0_120e'.
    """
    path = f'configs/{name}.py'
    return path if _is_ours(path) else name


def as_typed(name: str, *arguments: object) -> str:
    """A command as a user types it here, for messages: `as_typed('train', 'CONFIG')`."""
    return ' '.join([command_line(name)[1], *(shlex.quote(str(argument)) for argument in arguments)])


def _is_ours(path: str) -> bool:
    """Whether a path from the current folder leads to this project's file: other projects have a tools/train.py, too."""
    return Path(path).resolve() == _CLONE / path and Path(path).is_file()
