"""Measure speed, memory and size, everything in one interleaved run: python tools/benchmark.py segmentors"""

import argparse
import os.path as osp
import sys
from importlib.util import find_spec

import torch
from mmengine.registry import init_default_scope

from ..benchmark import data_loading as loading
from ..benchmark import paper_tables, subjects, verify
from ..benchmark.baselines import is_at_hand
from ..benchmark.run import measure_all, plot, table, write
from ..errors import InputError, exit_on_input_error
from ..models.memory_format import MEMORY_FORMATS
from ..optimize.options import DILATIONS, DTYPES, Options
from ..reports.record import check_writable
from ..training.prepare import load_config
from ..weights.load import load_weights

TABLE_4 = list(paper_tables.CLASSIFIERS)
TABLE_8 = [f'configs/{name}.py' for name in paper_tables.SEGMENTORS]


def parse_args():
    parser = argparse.ArgumentParser(description='Benchmark segmentors, classifiers, convs, branches and training')
    commands = parser.add_subparsers(dest='command', required=True)

    segmentors = commands.add_parser('segmentors', help='segmentors by config; the six of Table 8 by default')
    segmentors.add_argument('names', nargs='*', default=TABLE_8, metavar='CONFIG')
    segmentors.add_argument('--checkpoint', help='weights of the one config that is named')
    segmentors.add_argument(
        '--mode', choices=['tensor', 'predict'], default='tensor', help='up to logits, or to labels'
    )
    add_network_args(segmentors, size='713x713', batch=16)

    classifiers = commands.add_parser('classifiers', help='classifiers by name; those of Table 4 by default')
    classifiers.add_argument('names', nargs='*', metavar='NAME')
    add_network_args(classifiers, size='224x224', batch=128)

    branches = commands.add_parser('branches', help='before conversion, with and without branches: Table 6')
    branches.add_argument('names', nargs='*', default=['B0'], metavar='ARCH')
    add_network_args(branches, size='224x224', batch=128, forms=False)

    kernels = commands.add_parser('kernels', help='convs of 1x1 to 7x7: Table 1')
    kernels.add_argument('--channels', type=int, default=2048)
    kernels.add_argument('--size', type=int, default=56)
    kernels.add_argument('--batch', type=int, default=32)
    add_common_args(kernels)

    training = commands.add_parser('training', help='iterations of training, also with a block of someone else')
    training.add_argument('names', nargs='+', metavar='CONFIG')
    training.add_argument('--sizes', nargs='+', default=['713x713'], metavar='HxW')
    training.add_argument('--batch', type=int, default=2)
    training.add_argument('--dtype', choices=list(DTYPES), default='fp32', help='of the forward pass, by autocast')
    training.add_argument('--peer', help='FILE:CLASS of a block to put in the place of ours')
    add_common_args(training)

    reading = commands.add_parser('loading', help='images per second: read by one core, augmented on a device')
    reading.add_argument('folder', help='of photographs')
    reading.add_argument('--batch', type=int, default=64, help='images that AutoAugment gets at a time, on --device')
    reading.add_argument('--config', default='configs/imagenet/repvgg_a0_120e.py')
    add_common_args(reading)

    check = commands.add_parser('verify', help='logits of the optimized form against the training form')
    check.add_argument('names', nargs='*', default=TABLE_8, metavar='CONFIG')
    check.add_argument('--sizes', nargs='+', default=['512x512', '713x713', '512x1024', '395x517'], metavar='HxW')
    check.add_argument('--batches', type=int, nargs='+', default=[1, 3])
    check.add_argument('--dtypes', nargs='+', choices=list(DTYPES), default=['fp32', 'bf16'])
    add_common_args(check)
    return parser.parse_args()


def add_network_args(parser, size, batch, forms=True):
    if forms:
        parser.add_argument('--forms', nargs='+', choices=subjects.FORMS, default=list(subjects.FORMS))
    parser.add_argument('--sizes', nargs='+', default=[size], metavar='HxW', help='pixels of the images')
    parser.add_argument('--batch', type=int, default=batch, help='images at a time')
    parser.add_argument('--dtype', choices=list(DTYPES), default='fp32')
    parser.add_argument('--compile', action='store_true', help='torch.compile every form')
    parser.add_argument(
        '--memory-format', choices=['auto', *MEMORY_FORMATS], default='auto', help='of the optimized form'
    )
    parser.add_argument('--dilation', choices=DILATIONS, default='auto', help='of the optimized form')
    parser.add_argument('--plot', action='store_true', help='accuracy against speed as OUT.svg, as in Figure 1')
    add_common_args(parser)


def add_common_args(parser):
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, help='threads on the CPU; those of torch by default')
    parser.add_argument('--tf32', action='store_true', help='let fp32 convs and products of a GPU round to TF32')
    parser.add_argument('--rounds', type=int, default=50, help='timed calls of each')
    parser.add_argument('--warmup', type=int, default=5, help='untimed calls of each beforehand')
    parser.add_argument('--baseline', help='row that the ratios refer to, NAME:FORM:HxW; the first by default')
    parser.add_argument('--out', help='write OUT.json and OUT.md; results/benchmark_COMMAND_DEVICE by default')


def prepare(args) -> torch.device:
    """Check what can be checked before anything is built, and set up the device."""
    for name in ('batch', 'rounds', 'warmup', 'threads', 'channels'):
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


def input_shapes(args) -> 'list[tuple[int, int, int, int]]':
    return [(args.batch, 3, *size) for size in verify.parse_sizes(args.sizes)]


def network_options(args) -> 'list[Options]':
    """What is asked for, at every size."""
    choices = (DTYPES[args.dtype], args.memory_format, args.dilation, args.compile)
    return [Options(shape, *choices) for shape in input_shapes(args)]


def segmentor_subjects(args, device):
    if args.checkpoint and len(args.names) != 1:
        raise InputError('--checkpoint is for one config: name it')
    configs = {osp.splitext(osp.basename(path))[0]: load_config(path) for path in args.names}
    for name, cfg in configs.items():
        model = subjects.build_segmentor(cfg)
        if args.checkpoint:
            load_weights(model, args.checkpoint)
        miou, speed = paper_tables.SEGMENTORS.get(name, (None, None))
        paper = dict(miou=miou, paper_examples_per_s=speed) if miou else {}
        for options in network_options(args):
            yield from subjects.network_subjects(name, model.to(device), args.forms, options, args.mode, **paper)


def classifier_subjects(args, device):
    reported = paper_tables.CLASSIFIERS_200E | paper_tables.CLASSIFIERS
    for name in args.names or TABLE_4:
        if not (args.names or is_at_hand(name)):
            print(f'left out: {name}, which comes with pip install transformers', file=sys.stderr)
            continue
        top1, speed = reported.get(name, (None, None))
        paper = dict(top1=top1, paper_examples_per_s=speed) if top1 else {}
        model = subjects.build_classifier(name).to(device)
        for options in network_options(args):
            yield from subjects.network_subjects(name, model, args.forms, options, **paper)


def branch_subjects(args, device):
    for arch in args.names:
        for options in network_options(args):
            yield from subjects.branch_subjects(arch, options, device)


def kernel_subjects(args, device):
    return subjects.kernel_subjects(args.channels, args.size, args.batch, device)


def training_subjects(args, device):
    peer = subjects.load_peer(args.peer) if args.peer else None
    configs = {osp.splitext(osp.basename(path))[0]: load_config(path) for path in args.names}
    for name, cfg in configs.items():
        for shape in input_shapes(args):
            yield from subjects.training_subjects(name, cfg, shape, device, peer, DTYPES[args.dtype])


def loading_subjects(args, device):
    yield from loading.loading_subjects(load_config(args.config), args.folder)
    if find_spec('kornia'):
        yield from loading.augmentation_subjects(device, args.batch)
    else:
        print('left out: AutoAugment, which comes with kornia', file=sys.stderr)


SUBJECTS = dict(
    segmentors=segmentor_subjects,
    classifiers=classifier_subjects,
    branches=branch_subjects,
    kernels=kernel_subjects,
    training=training_subjects,
    loading=loading_subjects,
)


def measured(args, device):
    """The rows so far, whenever there are more: an hour's work is not lost when it is stopped."""
    if args.command == 'verify':
        configs = {osp.splitext(osp.basename(path))[0]: load_config(path) for path in args.names}
        yield from verify.verify(configs, verify.parse_sizes(args.sizes), args.batches, args.dtypes, device)
    else:
        rows = list(SUBJECTS[args.command](args, device))
        yield measure_all(rows, device, args.rounds, args.warmup, args.baseline)


@exit_on_input_error
def main():
    args = parse_args()
    device = prepare(args)
    settings = {
        key: value for key, value in vars(args).items() if key not in ('names', 'out', 'peer', 'checkpoint', 'folder')
    }
    for rows in measured(args, device):
        write(args.out, f'Benchmark: {args.command}', rows, settings, device)
    if getattr(args, 'plot', False):
        accuracy, label = ('miou', 'mIoU, %') if args.command == 'segmentors' else ('top1', 'top-1 accuracy, %')
        plot(args.out, rows, accuracy, f'{label} (as the paper reports it)')
    print(table(rows))
    print(f'written: {args.out}.json, {args.out}.md')
