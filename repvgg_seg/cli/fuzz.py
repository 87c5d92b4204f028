"""Read damaged files until something other than a message comes of it: python tools/fuzz.py checkpoint --minutes 10"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import replacing
from ..fuzzing.run import READ, REFUSED, TARGETS, Result, fuzz, run_case
from ..invocation import as_typed
from ..reports.markdown import markdown_table
from ..reports.record import check_writable, write_record
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Damage whole files by chance and read them: each case has to end in success or in a message of one line'
    )
    parser.add_argument('target', choices=list(TARGETS), help='what is read')
    parser.add_argument('files', nargs='*', metavar='FILE', help='files to damage, beside small ones of its own')
    parser.add_argument('--minutes', type=float, default=10.0, help='how long (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='the same seed gives the same cases (%(default)s)')
    parser.add_argument('--case', type=int, metavar='N', help='run the one case of this number, in this process')
    parser.add_argument('--out', help='write OUT.json and OUT.md')
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    files = [Path(file).resolve() for file in args.files]
    for file in files:
        if not file.is_file():
            raise InputError(f'no file {file}: name files to damage, or none')
    if not args.minutes > 0:
        raise InputError(f'--minutes must be positive, got {args.minutes}')
    if args.out:
        check_writable(f'{args.out}.json')
    if args.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(f'case {args.case}: {run_case(args.target, args.seed, args.case, files, Path(folder))}')
        return
    result = fuzz(args.target, args.seed, 60 * args.minutes, files)
    if args.out:
        _write(args, result, files)
    for number, fault in result.findings:
        print(f'{as_typed("fuzz", args.target)} --seed {args.seed} --case {number}: {fault}')
    ends = ', '.join(f'{count:,} {end}' for end, count in sorted(result.ends.items()))
    print(
        f'{result.cases:,} cases with seed {args.seed}: {ends}; {len(result.findings)} findings; slowest {result.slowest:.1f} s'
    )
    if result.findings:
        raise InputError(
            f'{len(result.findings)} of {result.cases:,} cases ended otherwise than in success or a message'
        )


def _write(args: argparse.Namespace, result: Result, files: list[Path]) -> None:
    figures: dict[str, Any] = dict(
        cases=result.cases, read=result.ends[READ], refused=result.ends[REFUSED], slowest_s=round(result.slowest, 1)
    )
    settings = dict(target=args.target, minutes=args.minutes, seed=args.seed, files=[file.name for file in files])
    record = write_record(f'{args.out}.json', settings=settings, **figures, findings=result.findings)
    facts = settings | figures | dict(findings=len(result.findings)) | record['environment']
    rows = [(name, str(value)) for name, value in facts.items() if value not in (None, []) and name != 'system']
    with replacing(f'{args.out}.md') as temporary:
        temporary.write_text(f'# Damaged files: {args.target}\n\n{markdown_table(("", ""), rows)}\n', encoding='utf-8')
