"""Write the tables of README.md and docs/ from results/: python tools/update_results.py [--check]"""

import argparse
import sys
from pathlib import Path

from ..errors import InputError
from ..reports.generated_tables import PAGES, find_project, with_tables
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true', help='write nothing, fail where a page is out of date')
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    folder = find_project(Path.cwd())
    for page in PAGES:
        path = folder / page
        before = path.read_text(encoding='utf-8')
        after = with_tables(before, page, folder)
        if after == before:
            continue
        if args.check:
            raise InputError(f'the tables of {page} are not those of results/: run python tools/update_results.py')
        path.write_text(after, encoding='utf-8')
        print(f'{page} updated', file=sys.stderr)
