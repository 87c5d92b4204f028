"""Train one config with several kinds of block and several seeds, and tabulate the scores: python tools/ablation.py CONFIG"""

import signal
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from ..benchmark.ablation import Ablation, with_speed
from ..errors import InputError
from ..files import replacing
from ..models.block_variants import BLOCKS
from ..reports.ablation_page import ablation_page, plot_ablation
from ..reports.record import check_writable, read_record, write_record
from ..training.work_dir import make_folder
from .config_options import add_config_options
from .exit import end_on_sigterm, exit_on_input_error
from .image_size import parsed_size

TABLE_6 = ('plain', 'without_1x1', 'without_identity', 'repvgg')


def parse_args() -> Namespace:
    parser = ArgumentParser(
        description='Train one config with several kinds of block and several seeds, and tabulate scores and speed. What '
        'has been done before in --out is not done again.'
    )
    parser.add_argument('config', help='config of a classifier or a segmentor with a RepVGG')
    parser.add_argument(
        '--rows', nargs='+', default=list(TABLE_6), choices=BLOCKS, metavar='BLOCK',
        help=f'kinds of block, of {", ".join(BLOCKS)}; those of Table 6 by default',
    )  # fmt: skip
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='of each row (0 1 2)')
    parser.add_argument('--out', required=True, help='folder of the runs, the record, the page and the picture')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time (1)')
    parser.add_argument('--no-speed', action='store_true', help='time nothing')
    parser.add_argument('--batch', type=int, default=32, help='images at a time, of what is timed (32)')
    parser.add_argument(
        '--size', metavar='HxW', help='pixels of what is timed; those of the first validation image by default'
    )
    parser.add_argument('--rounds', type=int, default=20, help='timed calls of each row and form (20)')
    parser.add_argument('--warmup', type=int, default=2, help='untimed calls of each beforehand (2)')
    parser.add_argument('--threads', type=int, help='threads on the CPU of what is timed; those of torch by default')
    add_config_options(parser)
    args = parser.parse_args()
    for name in ('jobs', 'batch', 'rounds', 'threads'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise InputError(f'--{name} must be positive, got {getattr(args, name)}')
    if args.warmup < 0 or min(args.seeds) < 0:
        raise InputError('--warmup and --seeds must be 0 or more')
    args.rows, args.seeds = (list(dict.fromkeys(values)) for values in (args.rows, args.seeds))
    args.size = args.size and parsed_size(args.size, '--size', '64x64')
    return args


@exit_on_input_error
def main() -> None:
    args = parse_args()
    # So that the runs that it has started end, too.
    signal.signal(signal.SIGTERM, end_on_sigterm)
    out = Path(args.out)
    record_file = str(out / 'ablation.json')
    check_writable(record_file)
    options = {str(key): str(value) for key, value in (args.cfg_options or {}).items()}
    settings: dict[str, Any] = dict(config=args.config, cfg_options=options)
    earlier = _settings_of(record_file)
    for name, value in settings.items():
        if earlier.get(name, value) != value:
            raise InputError(
                f'{record_file} is of runs with {name} {earlier[name]!r}, this is {value!r}: name another --out for these'
            )
    settings = earlier | settings
    ablation = Ablation(args.config, args.cfg_options or {}, out / 'runs')
    for taken in (ablation.key, 'randomness.seed'):
        if taken in options:
            raise InputError(f'--cfg-options {taken}: --rows and --seeds set it; leave it out')
    ablation.check(args.rows)
    make_folder(args.out, '--out')
    try:
        held = FileLock(out / '.lock').acquire(timeout=0)
    except Timeout:
        raise InputError(
            f'{out}: another command is at work in this folder; wait for it, or name another --out'
        ) from None
    with held:
        _run(args, ablation, settings, record_file)


def _run(args: Namespace, ablation: Ablation, settings: dict[str, Any], record_file: str) -> None:
    """Train and score, and time if it is asked for; the record is written after each run."""
    out = Path(args.out)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    timed = (read_record(record_file) or {}).get('timed') or []

    def write() -> None:
        rows = ablation.rows()
        # All figures of a table are of one interleaved run.
        of_these = timed if {row['name'] for row in rows} <= {row['name'] for row in timed} else []
        record = write_record(
            record_file,
            device=device,
            title=f'Ablation: {Path(args.config).stem}',
            metric=rows[0]['metric'] if rows else '',
            settings=settings,
            rows=with_speed(rows, of_these),
            timed=of_these,
        )
        with replacing(out / 'ablation.md') as temporary:
            temporary.write_text(ablation_page(record) + '\n', encoding='utf-8')
        plot_ablation(out / 'ablation.svg', record['rows'], record['metric'])

    write()
    for line in ablation.run(args.rows, args.seeds, args.jobs):
        print(line, flush=True)
        write()
    if not args.no_speed:
        if args.threads:
            torch.set_num_threads(args.threads)
        settings['timing'] = dict(
            batch=args.batch, rounds=args.rounds, warmup=args.warmup, threads=torch.get_num_threads()
        )
        names = [row['name'] for row in ablation.rows()]
        timed = ablation.speed(names, device, args.batch, args.rounds, args.warmup, args.size)
        write()
    print((out / 'ablation.md').read_text(encoding='utf-8'))
    print(f'written: {record_file}, {out / "ablation.md"}, {out / "ablation.svg"}')


def _settings_of(record_file: str) -> dict[str, Any]:
    """The settings of the runs that a record is of; empty without one."""
    settings = (read_record(record_file) or {}).get('settings')
    return settings if isinstance(settings, dict) else {}
