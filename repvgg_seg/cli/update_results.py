"""Write the tables of README.md from results/: python tools/update_results.py [--check]"""

import argparse
import sys
from pathlib import Path

from ..errors import InputError
from ..reports.readme_tables import find_project, with_tables
from .exit import exit_on_input_error


@exit_on_input_error
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true', help='write nothing, fail where README.md is out of date')
    args = parser.parse_args()
    folder = find_project(Path.cwd())
    readme = folder / 'README.md'
    before = readme.read_text(encoding='utf-8')
    after = with_tables(before, folder)
    if after == before:
        return
    if args.check:
        raise InputError('the tables of README.md are not those of results/: run python tools/update_results.py')
    readme.write_text(after, encoding='utf-8')
    print('README.md updated', file=sys.stderr)
