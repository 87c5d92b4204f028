"""`--cfg-options` and the other options that tools/train.py and tools/test.py share."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log

from ..training.config.option_values import TypedText

_OPTION = re.compile(r'^--[a-z][a-z_-]*(?==|$)')


class CfgOptions(argparse.Action):
    """Collects KEY=VALUE in a dict of texts, which `load_config` reads beside the values of the config."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest, None) or {})
        for option in values or ():
            key, equals, value = option.partition('=')
            key = key.strip()
            if not equals or not key:
                parser.error(
                    f'--cfg-options {option!r}: give KEY=VALUE, without blanks around the = and with quotes around a value that '
                    'holds blanks; other arguments come before --cfg-options'
                )
            if options.get(key, value) != value:
                print_log(f'--cfg-options {key} is given twice: {value} is used', 'current', logging.WARNING)
            options[key] = TypedText(value)
        setattr(namespace, self.dest, options)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add `--cfg-options`."""
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions, help='override settings: key=value ...')


def add_launcher_options(parser: argparse.ArgumentParser) -> None:
    """Add `--launcher` and `--local_rank`, which torchrun's predecessor passes to every process."""
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def parse_run_args(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the arguments of a tool that runs a model, and hand the local rank on to mmengine's launcher.

    The names of options may be written with underscores.
    """
    words = [_OPTION.sub(lambda name: name[0].replace('_', '-'), word) for word in sys.argv[1:]]
    # Options may stand between CONFIG and a CHECKPOINT that may be left out.
    args = parser.parse_args(words) if '--' in words else parser.parse_intermixed_args(words)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def add_rehearsal_option(parser: argparse.ArgumentParser) -> None:
    """Add `--no-rehearsal`."""
    parser.add_argument(
        '--no-rehearsal',
        action='store_true',
        help='start without comparing the settings that must agree and without one batch through every step',
    )
