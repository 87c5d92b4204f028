"""One HTML page for one training run, or for several side by side: python tools/report.py RUN..."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import InputError
from ..files import named_errors
from ..reports.page import PAGE_MARK, write_page
from ..reports.runs.run import find_runs
from ..training.work_dir import make_folder
from .config_options import add_config_options
from .evaluate_run import evaluate
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Write one HTML page for one training run, or for several side by side'
    )
    parser.add_argument(
        'runs', nargs='+', metavar='RUN', help='a work dir, a checkpoint, or a JSON file that the test wrote'
    )
    parser.add_argument('--out', help='the page; RUN/report.html for one work dir, otherwise report.html by default')
    parser.add_argument('--overwrite', action='store_true', help='replace a file that is no earlier report')
    parser.add_argument(
        '--no-evaluation', action='store_true', help='show only what was recorded; score and time nothing'
    )
    parser.add_argument('--images', type=int, help='score so many images only, spread evenly over the set')
    parser.add_argument('--split', choices=['val', 'test'], help="the set to score on: that of the config's test")
    add_config_options(parser)
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    if args.images is not None and args.images < 1:
        raise InputError(f'--images {args.images}: give the number of images to score, 1 or more')
    if args.no_evaluation and (args.images or args.split or args.cfg_options):
        raise InputError(
            '--images, --split and --cfg-options are for the evaluation: leave out --no-evaluation, or them'
        )
    out = _page(args)
    runs = find_runs(args.runs)
    make_folder(str(out.parent), '--out')  # last: what is refused leaves no folder
    with TemporaryDirectory(prefix='report_', ignore_cleanup_errors=True) as folder:
        for number, run in enumerate(runs):
            if args.no_evaluation:
                run.missing.append('Nothing was evaluated for this page (--no-evaluation): it shows what was recorded.')
            else:
                evaluate(run, args, Path(folder) / str(number))
        with named_errors(out):
            size = write_page(out, runs)
    for run in runs:
        for sentence in run.missing:
            print(f'{run.name}: {sentence}', file=sys.stderr)
    print(f'{size / 1e6:.2f} MB for {len(runs)} {"run" if len(runs) == 1 else "runs"}; the page:')
    print(out)


def _page(args: argparse.Namespace) -> Path:
    """The file for the page, which may be written.

    Raises:
        InputError: its folder cannot be made or written to, or the file exists and is no earlier report.
    """
    alone = len(args.runs) == 1 and Path(args.runs[0]).is_dir()
    out = Path(args.out if args.out is not None else Path(args.runs[0]) / 'report.html' if alone else 'report.html')
    if out.is_dir() or args.out == '':
        raise InputError(f'--out {args.out!r} is a folder: name a file in it, such as report.html')
    if out.suffix.lower() not in ('.html', '.htm'):
        raise InputError(f'--out {out}: the page is HTML; name a file that ends in .html')
    if out.exists() and not args.overwrite:
        try:
            with open(out, 'rb') as file:
                ours = PAGE_MARK.encode() in file.read(4096)
        except OSError as error:
            raise InputError(f'cannot read {out} ({error.strerror}): name another file with --out') from None
        if not ours:
            raise InputError(f'{out} exists and is no earlier report: name another file with --out, or add --overwrite')
    return out
