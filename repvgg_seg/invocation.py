"""How commands and configs are called: in a clone tools/NAME.py and configs/NAME.py, elsewhere by their names."""

import sys
from pathlib import Path


def command_line(name: str) -> tuple[list[str], str]:
    """The start of the command line of a tool, to be run and as a user types it.

    Args:
        name: of the tool, such as 'train' or 'make_synthetic_scenes'.
    """
    tool = f'tools/{name}.py'
    if Path(tool).is_file():
        return [sys.executable, tool], f'python {tool}'
    command = name.replace('_', '-')
    return [sys.executable, '-m', 'repvgg_seg.cli.main', command], f'repvgg-seg {command}'


def config_name(name: str) -> str:
    """'configs/NAME.py' where that file is, in a clone; otherwise the name of the packaged config.

    Args:
        name: of a config, such as 'pspnet_repvgg_b2' or 'imagenet/repvgg_a0_120e'.
    """
    path = f'configs/{name}.py'
    return path if Path(path).is_file() else name


def as_typed(name: str, *arguments: object) -> str:
    """A command as a user types it here, for messages: `as_typed('train', 'CONFIG')`."""
    return ' '.join([command_line(name)[1], *map(str, arguments)])
