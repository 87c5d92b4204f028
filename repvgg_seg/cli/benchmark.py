"""Measure speed, memory and size, everything in one interleaved run: python tools/benchmark.py segmentors"""

import os.path as osp
from argparse import ArgumentParser, Namespace

import torch
from mmengine.registry import init_default_scope

from ..errors import InputError
from ..files import replacing
from ..reports.benchmark_table import Row, benchmark_page, benchmark_table
from ..reports.plot import plot_accuracy_against_speed
from ..reports.record import check_writable, write_record
from .benchmark_commands import BENCHMARKS, DEVICE, Benchmark
from .exit import exit_on_input_error

# Arguments that are no settings of a measurement: its rows name the models, and paths belong to one machine.
_NOT_RECORDED = ('benchmark', 'names', 'out', 'peer', 'checkpoint', 'folder', 'engine')


def parse_args() -> Namespace:
    parser = ArgumentParser(description='Benchmark segmentors, classifiers, convs, branches and training')
    commands = parser.add_subparsers(dest='command', required=True)
    for benchmark in BENCHMARKS:
        command = commands.add_parser(benchmark.name, help=benchmark.help)
        command.set_defaults(benchmark=benchmark)
        for arg in (*benchmark.arguments, *DEVICE):
            command.add_argument(arg.name, **arg.options)
    return parser.parse_args()


def prepare(args: Namespace) -> torch.device:
    """Check what can be checked before anything is built, and set up the device."""
    for name in ('batch', 'rounds', 'warmup', 'threads', 'channels', 'size'):
        if getattr(args, name, None) is not None and getattr(args, name) < 1:
            raise InputError(f'--{name} must be positive, got {getattr(args, name)}')
    try:
        device = torch.device(args.device)
    except RuntimeError:
        raise InputError(f'--device must be cpu, cuda or cuda:N, got {args.device!r}') from None
    if device.type not in ('cpu', 'cuda') or (device.type == 'cuda' and not torch.cuda.is_available()):
        raise InputError(f'--device {args.device} is not here: name cpu' + (' or cuda' * torch.cuda.is_available()))
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    args.out = args.out or osp.join('results', f'benchmark_{args.command}_{device.type}')
    check_writable(f'{args.out}.json')
    init_default_scope('mmseg')
    return device


@exit_on_input_error
def main() -> None:
    args = parse_args()
    device = prepare(args)
    benchmark: Benchmark = args.benchmark
    title = f'Benchmark: {benchmark.name}'
    settings = {name: value for name, value in vars(args).items() if name not in _NOT_RECORDED}
    rows: list[Row] = []
    for rows in benchmark.measure(args, device):
        record = write_record(f'{args.out}.json', device=device, title=title, settings=settings, rows=rows)
        with replacing(f'{args.out}.md') as temporary:
            temporary.write_text(benchmark_page(record, f'# {title}') + '\n', encoding='utf-8')
    if benchmark.accuracy and args.plot:
        accuracy, label = benchmark.accuracy
        plot_accuracy_against_speed(f'{args.out}.svg', rows, accuracy, f'{label} (as the paper reports it)')
    print(benchmark_table(rows))
    print(f'written: {args.out}.json, {args.out}.md')
