"""The command `repvgg-seg`: each tool is a subcommand, imported when it is called."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from ..errors import InputError, did_you_mean, similar_names
from ..version import __version__
from .exit import exit_on_input_error

PROG = 'repvgg-seg'
# Each is a module of this folder, with underscores in place of the hyphens.
COMMANDS = {
    'train': 'train a segmentor or a classifier',
    'test': 'score a checkpoint, fused by default',
    'check-dataset': 'read all images and labels of a config, and say what is wrong',
    'report': 'one HTML page for a training run, or for several',
    'predict': 'segment images, folders, videos and cameras',
    'benchmark': 'measure speed, memory and size',
    'ablation': 'train several kinds of block over several seeds, and tabulate them',
    'reparameterize': 'fuse the blocks of a checkpoint',
    'prune': 'remove channels of a segmentor, and make it trainable again',
    'export': 'write a segmentor as a file for ONNX Runtime, OpenVINO or ncnn',
    'convert-weights': 'convert RepVGG weights between families of names',
    'download-weights': 'fetch published ImageNet weights',
    'make-synthetic-scenes': 'write a small data set of synthetic street scenes',
    'prepare-cityscapes': 'make the trainId labels of Cityscapes',
    'crash-test': 'kill a training again and again, and compare what is resumed',
    'fuzz': 'read damaged files, to find what is not refused in one line',
    'demo': 'run everything once, on synthetic street scenes',
}


def make_parser() -> argparse.ArgumentParser:
    """The parser of what may come in the place of a subcommand: `--help` and `--version`."""
    width = max(map(len, COMMANDS)) + 2
    listing = '\n'.join(f'  {name:<{width}}{purpose}' for name, purpose in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=PROG,
        usage='%(prog)s COMMAND [arguments]',
        description=f'RepVGG for MMSegmentation.\n\ncommands:\n{listing}',
        epilog='`%(prog)s COMMAND --help` describes the arguments of a command.',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    return parser


def find_command(name: str) -> str:
    """The command of a name that is written with hyphens or underscores.

    Raises:
        InputError: there is no such command.
    """
    command = name.replace('_', '-')
    if command in COMMANDS:
        return command
    guess = did_you_mean(similar_names(command, COMMANDS))
    raise InputError(f'no command {name}: {guess}`{PROG} --help` lists the commands')


@exit_on_input_error
def main(arguments: Sequence[str] | None = None) -> None:
    """Run a subcommand.

    Args:
        arguments: the command and its arguments; those of the process by default.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments:
        make_parser().error('name a command; --help lists them')
    if arguments[0].startswith('-'):
        make_parser().parse_args(arguments)  # shows help or the version, or refuses another option, and exits
    command = find_command(arguments[0])
    # The subcommands read sys.argv; argparse takes the name in their usage line from its first item.
    sys.argv = [f'{PROG} {command}', *arguments[1:]]
    import_module(f'{__package__}.{command.replace("-", "_")}').main()


if __name__ == '__main__':
    main()
