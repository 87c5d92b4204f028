"""`--cfg-options` and the other options that tools/train.py and tools/test.py share."""

import argparse
import ast
import os
from collections.abc import Sequence
from typing import Any

from mmengine.config import DictAction


class CfgOptions(DictAction):
    """mmengine's action for `--cfg-options`, which also reads a dict in Python's notation.

    An option that cannot be read ends the tool with one line; mmengine's action raises.
    """

    @staticmethod
    def _parse_iterable(value: str) -> Any:
        return ast.literal_eval(value) if value.startswith('{') else DictAction._parse_iterable(value)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            super().__call__(parser, namespace, values, option_string)
        except (AssertionError, RecursionError, SyntaxError, ValueError):
            parser.error(
                f'cannot read {" ".join(values or [])!r}: give key=value, with lists as key="[a,b]" and dicts as '
                'key="{\'a\': 1}"'
            )


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add `--cfg-options`."""
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions, help='override settings: key=value ...')


def add_launcher_options(parser: argparse.ArgumentParser) -> None:
    """Add `--launcher` and `--local_rank`, which torchrun's predecessor passes to every process."""
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def parse_run_args(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the arguments of a tool that runs a model, and hand the local rank on to mmengine's launcher."""
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args
