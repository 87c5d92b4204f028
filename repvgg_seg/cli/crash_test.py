"""Kill a training at random moments and resume it, and compare it with one that is left alone: python tools/crash_test.py"""

import random
import signal
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ..benchmark.crash_test import (
    CHECKPOINT_INTERVAL,
    Kill,
    as_rows,
    differences,
    is_equal,
    kill_and_resume,
    train_undisturbed,
    write_config,
)
from ..errors import InputError
from ..files import replacing
from ..reports.benchmark_table import settings_and_environment
from ..reports.markdown import markdown_table
from ..reports.record import check_writable, write_record
from .exit import end_on_sigterm, exit_on_input_error


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=30, help='how often the training is killed (30)')
    parser.add_argument(
        '--processes', type=int, default=1, help='processes of the training; one of several is killed (1)'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the moments (0)')
    parser.add_argument(
        '--start-after',
        type=int,
        metavar='ITERATIONS',
        help='kill nothing: train so many iterations, and measure how long a run that goes on from there takes to start',
    )
    parser.add_argument('--out', help='record without its ending (results/crash_test_...)')
    args = parser.parse_args()
    for name in ('kills', 'processes', 'start_after'):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise InputError(f'--{name.replace("_", "-")} must be positive, got {value}')
    kind = 'start' if args.start_after else f'{args.processes}_process' + 'es' * (args.processes > 1)
    args.out = args.out or f'results/crash_test_{kind}'
    return args


@exit_on_input_error
def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, end_on_sigterm)  # so that the run that it has started ends, too
    check_writable(f'{args.out}.json')
    with tempfile.TemporaryDirectory(prefix='crash_test_') as folder:
        record = measure_start(args, Path(folder)) if args.start_after else measure_kills(args, Path(folder))
    page = start_page(record) if args.start_after else kills_page(record)
    with replacing(f'{args.out}.md') as temporary:
        temporary.write_text(page, encoding='utf-8')
    print(f'{record["result"]}\nwritten: {args.out}.json, {args.out}.md')
    if not record['passed']:
        raise InputError(f'{record["result"]}: see {args.out}.json')


def measure_kills(args: Namespace, folder: Path) -> dict[str, Any]:
    """Kill and compare; returns the record."""
    # An attempt ends within 4 iterations and a checkpoint of its start, mostly.
    iterations = 16 + (4 + 2 * CHECKPOINT_INTERVAL) * args.kills
    config = write_config(folder, iterations)
    whole, killed = folder / 'whole', folder / 'killed'
    train_undisturbed(config, whole, args.processes)
    kills: list[Kill] = []
    for kill in kill_and_resume(config, killed, args.kills, args.processes, random.Random(args.seed)):
        kills.append(kill)
        print(f'kill {len(kills)}: {kill}', flush=True)
    name = f'iter_{iterations}.pth'
    compared = differences(whole / name, killed / name)
    leftovers = sorted({p.name for p in killed.glob('.*')} | {p.name for p in killed.glob('*.pth')})
    expected = sorted(p.name for p in whole.glob('*.pth'))
    passed = is_equal(compared) and leftovers == expected
    writes = sum(kill.left_a_part for kill in kills)
    state = compared['state_dict']
    result = (
        f'{len(kills)} kills, {writes} of them while a checkpoint was being written: {state["differ"]} of {state["tensors"]} tensors '
        f'differ from those of the run without a break, and {compared["optimizer"]["differ"]} of {compared["optimizer"]["tensors"]} '
        'of the optimizer'
    )
    return write_record(
        f'{args.out}.json',
        title=f'Crash test, {args.processes} process' + 'es' * (args.processes > 1),
        settings=dict(kills=args.kills, processes=args.processes, seed=args.seed, iterations=iterations),
        result=result,
        passed=passed,
        compared=compared,
        checkpoints_left=leftovers,
        checkpoints_expected=expected,
        kills=as_rows(kills),
    )


def measure_start(args: Namespace, folder: Path) -> dict[str, Any]:
    """Compare the time of a start with that of the training before it; returns the record."""
    # Batches that take about as long as those of a small real network: the imports alone take seconds.
    config = write_config(folder, args.start_after, interval=args.start_after, batch_size=8)
    before = train_undisturbed(config, folder / 'work')
    longer = f'train_cfg.max_iters={args.start_after + 1}'
    after = train_undisturbed(config, folder / 'work', 1, longer)
    training, start = before[-1] - before[0], after[0]
    share = start / training
    result = (
        f'{args.start_after:,} iterations took {training:.0f} s; a resumed run has finished its first iteration {start:.1f} s after '
        f'the start of the process, which is {share:.1%} of that'
    )
    return write_record(
        f'{args.out}.json',
        title='Start of a resumed run',
        settings=dict(iterations=args.start_after),
        result=result,
        passed=share <= 0.1,
        seconds_of_training=training,
        seconds_of_first_start=before[0],
        seconds_of_resumed_start=start,
    )


def kills_page(record: dict[str, Any]) -> str:
    """The page of `measure_kills`."""
    header = ['kill', 'aimed at', 'resumed from', 'reached', 'part of a checkpoint left', 'seconds after the start']
    rows = [
        [i, k['aim'], k['resumed_from'], k['reached'], 'yes' if k['left_a_part'] else '', f'{k["seconds"]:.1f}']
        for i, k in enumerate(record['kills'], 1)
    ]
    return _page(record, markdown_table(header, rows))


def start_page(record: dict[str, Any]) -> str:
    """The page of `measure_start`."""
    names = ['seconds_of_training', 'seconds_of_first_start', 'seconds_of_resumed_start']
    return _page(record, markdown_table(['', 's'], [[name.replace('_', ' '), f'{record[name]:.1f}'] for name in names]))


def _page(record: dict[str, Any], table: str) -> str:
    return f'# {record["title"]}\n\n{record["result"]}.\n\n{table}\n\n{settings_and_environment(record)}\n'
