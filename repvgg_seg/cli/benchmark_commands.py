"""The benchmarks that tools/benchmark.py offers: names, arguments, and what each measures."""

import os.path as osp
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device

from ..benchmark import paper_tables
from ..benchmark.baselines import is_available
from ..benchmark.branches import branch_subjects
from ..benchmark.data_loading import augmentation_subjects, loading_subjects
from ..benchmark.engines import engine_subjects, exported_subjects
from ..benchmark.kernels import kernel_subjects
from ..benchmark.networks import FORMS, build_classifier, build_segmentor, network_subjects
from ..benchmark.optimizing import optimizing_subjects
from ..benchmark.prediction import measure_prediction
from ..benchmark.random_bn import randomise_bn
from ..benchmark.rehearsal import measure_rehearsal
from ..benchmark.run import measure_all
from ..benchmark.subject import Subject
from ..benchmark.training_iterations import load_peer, training_subjects
from ..benchmark.verify import verify
from ..errors import InputError
from ..export.formats import FORMATS, PRECISIONS
from ..models.image_channels import image_channels
from ..models.memory_format import MEMORY_FORMATS
from ..optimize.options import DILATIONS, DTYPES, Options, checked_memory
from ..reports.benchmark_table import Row
from ..training.config import load_config
from ..training.prepare import prepare, prepare_model
from ..weights.load_into_model import load_weights
from .config_options import CfgOptions
from .image_size import parsed_size
from .optimize_options import OPTIMIZE_OPTIONS

# What a benchmark yields: the rows so far, whenever there are more, so that an hour's work is not lost when it is stopped.
Measure = Callable[[Namespace, torch.device], Iterator[list[Row]]]


@dataclass(frozen=True)
class Argument:
    """An argument of `ArgumentParser.add_argument`."""

    name: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: one entry of `BENCHMARKS`, which is all that the command line knows of it.

    Args:
        name: of the command, and of the record.
        help: what it measures.
        arguments: of the command, beside those that every command has.
        measure: yields the rows.
        accuracy: the figure that --plot shows against speed, and its label; None for a benchmark without a plot.
    """

    name: str
    help: str
    arguments: tuple[Argument, ...]
    measure: Measure
    accuracy: tuple[str, str] | None = None


def argument(name: str, **options: Any) -> Argument:
    return Argument(name, options)


def timed(subjects: Callable[[Namespace, torch.device], Iterable[Subject]]) -> Measure:
    """What times subjects in turn and yields their rows at the end."""

    def measure(args: Namespace, device: torch.device) -> Iterator[list[Row]]:
        yield measure_all(list(subjects(args, device)), device, args.rounds, args.warmup, args.baseline)

    return measure


def load_configs(paths: Iterable[str]) -> dict[str, Config]:
    """The configs, checked and ready to build models from, by the names of their files."""
    configs = {osp.splitext(osp.basename(path))[0]: load_config(path) for path in paths}
    for cfg in configs.values():
        prepare_model(cfg)
    return configs


def image_sizes(args: Namespace) -> list[tuple[int, int]]:
    """'512x1024' -> (512, 1024) for each of --sizes."""
    return [parsed_size(size, '--sizes', '512x1024') for size in args.sizes]


def network_options(args: Namespace, channels: int = 3) -> list[Options]:
    """The options of the forms of a network, for each size of its images of so many channels."""
    memory = checked_memory(args.memory)
    choices = (DTYPES[args.dtype], args.memory_format, args.dilation, args.compile, memory, args.measure_anew)
    return [Options((args.batch, channels, *size), *choices) for size in image_sizes(args)]


def segmentors(args: Namespace, device: torch.device) -> Iterator[Subject]:
    names = args.names or ([] if args.engine else TABLE_8)
    if args.checkpoint and len(names) != 1:
        raise InputError(f'--checkpoint is for one config, got {len(names)}: name the config of the checkpoint')
    if args.engine and device.type != 'cpu':
        raise InputError(f'--engine names files that compute on the CPU, got --device {device}: set --device cpu')
    exported = list(engine_subjects(args.engine, image_sizes(args), args.batch, args.mode))
    for name, cfg in load_configs(names).items():
        model = build_segmentor(cfg)
        if args.checkpoint:
            load_weights(model, args.checkpoint)
        paper = paper_tables.SEGMENTORS.get(name)
        for options in network_options(args, image_channels(model)):
            yield from network_subjects(name, model.to(device), args.forms, options, args.mode, paper)
    yield from exported


def engines(args: Namespace, device: torch.device) -> Iterator[Subject]:
    if device.type != 'cpu':
        raise InputError(f'the engines compute on the CPU, got --device {device}: set --device cpu')
    for name, cfg in load_configs(args.names or TABLE_8).items():
        model = randomise_bn(build_segmentor(cfg))
        paper = paper_tables.SEGMENTORS.get(name)
        for options in network_options(args, image_channels(model)):
            height, width = options.input_shape[2:]
            yield from network_subjects(name, model, args.forms, options, 'tensor', paper)
            yield from exported_subjects(name, model, args.to, args.precision, (height, width))


def classifiers(args: Namespace, device: torch.device) -> Iterator[Subject]:
    reported = paper_tables.CLASSIFIERS_200E | paper_tables.CLASSIFIERS
    for name in args.names or paper_tables.CLASSIFIERS:
        if not (args.names or is_available(name)):
            print(f'left out: {name}, which comes with pip install transformers', file=sys.stderr)
            continue
        top1, speed = reported.get(name, (None, None))
        paper = dict(top1=top1, paper_examples_per_s=speed) if top1 else None
        model = build_classifier(name).to(device)
        for options in network_options(args):
            yield from network_subjects(name, model, args.forms, options, paper=paper)


def branches(args: Namespace, device: torch.device) -> Iterator[Subject]:
    for arch in args.names:
        for options in network_options(args):
            yield from branch_subjects(arch, options, device)


def kernels(args: Namespace, device: torch.device) -> Iterator[Subject]:
    return kernel_subjects(args.channels, args.size, args.batch, device)


def training(args: Namespace, device: torch.device) -> Iterator[Subject]:
    peer = load_peer(args.peer) if args.peer else None
    for name, cfg in load_configs(args.names).items():
        for size in image_sizes(args):
            dtype = DTYPES[args.dtype]
            yield from training_subjects(name, cfg, args.batch, size, device, peer, dtype, args.mmseg_head, args.parts)


def optimizing(args: Namespace, device: torch.device) -> Iterator[Subject]:
    for name, cfg in load_configs(args.names).items():
        yield from optimizing_subjects(name, build_segmentor(cfg).to(device), checked_memory(args.memory))


def loading(args: Namespace, device: torch.device) -> Iterator[Subject]:
    yield from loading_subjects(load_config(args.config), args.folder)
    if find_spec('kornia'):
        yield from augmentation_subjects(device, args.batch)
    else:
        print('left out: AutoAugment, which comes with pip install kornia', file=sys.stderr)


def rehearsals(args: Namespace, device: torch.device) -> Iterator[list[Row]]:
    if device.type != get_device():
        raise InputError(
            f'rehearsal runs on {get_device()}, where mmengine trains, got --device {device}: '
            'without a GPU in sight (CUDA_VISIBLE_DEVICES="") it trains on the CPU'
        )

    def measure(subjects: list[Subject]) -> list[Row]:
        return measure_all(subjects, device, args.rounds, args.warmup)

    as_trained = dict(
        launcher='none',
        resume=None,
        no_rehearsal=True,
        amp=False,
        channels_last=False,
        compile=False,
        keep_global_batch=False,
        auto_scale_lr=False,
        tracker=None,
    )
    rows: list[Row] = []
    for path in args.names:
        cfg = load_config(path, args.cfg_options)
        cfg.resume = False
        with TemporaryDirectory(ignore_cleanup_errors=True) as work_dir:  # on Windows the log file is still open
            cfg.visualizer = dict(type='SegLocalVisualizer', name=work_dir)  # mmengine keeps visualizers by their names
            prepare(cfg, Namespace(config=path, work_dir=work_dir, **as_trained), 'train')
            rows += measure_rehearsal(osp.splitext(osp.basename(path))[0], cfg, measure)
        yield rows


def predictions(args: Namespace, device: torch.device) -> Iterator[list[Row]]:
    given = (('--config', args.config), ('--checkpoint', args.checkpoint), ('--device', str(device)))
    options = [osp.abspath(word) if osp.exists(word) else word for pair in given if pair[1] for word in pair]
    return measure_prediction(args.folder, options, args.seconds, args.memory)


def verified(args: Namespace, device: torch.device) -> Iterator[list[Row]]:
    return verify(load_configs(args.names), image_sizes(args), args.batches, args.dtypes, device)


TABLE_8 = list(paper_tables.SEGMENTORS)

DEVICE = (
    argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='cpu, cuda or cuda:N'),
    argument('--threads', type=int, help='threads on the CPU; those of torch by default'),
    argument('--tf32', action='store_true', help='let a GPU compute fp32 in TF32'),
    argument('--out', help='write OUT.json and OUT.md; results/benchmark_COMMAND_DEVICE by default'),
)
TIMING = (
    argument('--rounds', type=int, default=50, help='timed calls of each row'),
    argument('--warmup', type=int, default=5, help='untimed calls of each row beforehand'),
    argument('--baseline', help='row that the ratios refer to, NAME:FORM:HxW; the first by default'),
)
WHICH_FORMS = (argument('--forms', nargs='+', choices=FORMS, default=list(FORMS)),)
PLOT = (argument('--plot', action='store_true', help='accuracy against speed as OUT.svg, as in Figure 1'),)


def images(size: str, batch: int) -> tuple[Argument, ...]:
    return (
        argument('--sizes', nargs='+', default=[size], metavar='HxW', help='pixels of the images'),
        argument('--batch', type=int, default=batch, help='images at a time'),
    )


def networks(size: str, batch: int) -> tuple[Argument, ...]:
    """The arguments of a benchmark whose subjects are networks in inference."""
    return (
        *images(size, batch),
        argument('--dtype', choices=list(DTYPES), default='fp32'),
        argument('--compile', action='store_true', help='torch.compile every form'),
        argument('--memory-format', choices=['auto', *MEMORY_FORMATS], default='auto', help='of the optimized form'),
        argument('--dilation', choices=DILATIONS, default='auto', help='of the optimized form'),
        *(Argument(name, options) for name, options in OPTIMIZE_OPTIONS),
        *TIMING,
    )


# A new benchmark is an entry here, a file of `repvgg_seg/benchmark/` that makes its subjects, and the paper's figures in
# `paper_tables.py`.
BENCHMARKS = (
    Benchmark(
        'segmentors',
        'segmentors by config; the six of Table 8 by default',
        (
            argument('names', nargs='*', metavar='CONFIG'),
            argument('--engine', nargs='+', default=[], metavar='FILE', help='files of tools/export.py, timed as well'),
            argument('--checkpoint', help='weights of the one config that is named'),
            argument('--mode', choices=['tensor', 'predict'], default='tensor', help='up to logits, or to labels'),
            *WHICH_FORMS,
            *networks('713x713', 16),
            *PLOT,
        ),
        timed(segmentors),
        ('miou', 'mIoU, %'),
    ),
    Benchmark(
        'engines',
        'segmentors exported for other engines, with random weights, beside their forms in PyTorch; those of Table 8 by default',
        (
            argument('names', nargs='*', metavar='CONFIG'),
            argument('--to', nargs='+', choices=FORMATS, default=['onnx', 'openvino', 'ncnn'], help='the engines'),
            argument('--precision', choices=PRECISIONS, default='fp32', help='in which the engines compute'),
            argument('--forms', nargs='*', choices=FORMS, default=['fused', 'optimized'], help='in PyTorch'),
            *networks('512x512', 1),
        ),
        timed(engines),
    ),
    Benchmark(
        'classifiers',
        'classifiers by name; those of Table 4 by default',
        (argument('names', nargs='*', metavar='NAME'), *WHICH_FORMS, *networks('224x224', 128), *PLOT),
        timed(classifiers),
        ('top1', 'top-1 accuracy, %'),
    ),
    Benchmark(
        'branches',
        'before conversion, with and without branches: Table 6',
        (argument('names', nargs='*', default=['B0'], metavar='ARCH'), *networks('224x224', 128)),
        timed(branches),
    ),
    Benchmark(
        'kernels',
        'convs of 1x1 to 7x7: Table 1',
        (
            argument('--channels', type=int, default=2048),
            argument('--size', type=int, default=56, help='pixels of the feature maps, in height and width'),
            argument('--batch', type=int, default=32),
            *TIMING,
        ),
        timed(kernels),
    ),
    Benchmark(
        'training',
        'iterations of training, also with a block or a head from elsewhere',
        (
            argument('names', nargs='+', metavar='CONFIG'),
            *images('713x713', 2),
            argument('--dtype', choices=list(DTYPES), default='fp32', help='of the forward pass, by autocast'),
            argument('--peer', help='FILE:CLASS of a block to put in the place of ours'),
            argument(
                '--mmseg-head',
                action='store_true',
                help='the heads of PSPNet as mmseg computes them, in the place of ours',
            ),
            argument(
                '--parts',
                action='store_true',
                help="also ours with mmseg's heads, with mmseg's loss, with blocks computed again, and compiled",
            ),
            *TIMING,
        ),
        timed(training),
    ),
    Benchmark(
        'loading',
        'images per second: read by one core, augmented on a device',
        (
            argument('folder', help='of photographs'),
            argument('--batch', type=int, default=64, help='images that AutoAugment gets at a time, on --device'),
            argument('--config', default='imagenet/repvgg_a0_120e', help='whose pipeline is measured'),
            *TIMING,
        ),
        timed(loading),
    ),
    Benchmark(
        'optimizing',
        'optimize_for_inference itself, called once more, beside a copy and a fused copy of the network',
        (
            argument('names', nargs='+', metavar='CONFIG'),
            Argument('--memory', dict(OPTIMIZE_OPTIONS)['--memory']),
            *TIMING,
        ),
        timed(optimizing),
    ),
    Benchmark(
        'rehearsal',
        'what the rehearsal of a training costs, beside one iteration; with the data of the config',
        (
            argument('names', nargs='+', metavar='CONFIG'),
            argument('--cfg-options', nargs='+', action=CfgOptions, help='override settings: key=value ...'),
            *TIMING[:2],
        ),
        rehearsals,
    ),
    Benchmark(
        'prediction',
        'the command predict: photographs, a video, broken files, odd names, a large photograph',
        (
            argument('folder', help='of photographs'),
            argument('--config', help='as predict takes it'),
            argument('--checkpoint', help='as predict takes it; the network in the package by default'),
            argument('--seconds', type=int, default=10, help='of the video'),
            argument('--memory', type=int, default=1500, help='MiB that the large photograph may take the second time'),
        ),
        predictions,
    ),
    Benchmark(
        'verify',
        'logits of the optimized form against the training form',
        (
            argument('names', nargs='*', default=TABLE_8, metavar='CONFIG'),
            argument('--sizes', nargs='+', default=['512x512', '713x713', '512x1024', '395x517'], metavar='HxW'),
            argument('--batches', type=int, nargs='+', default=[1, 3]),
            argument('--dtypes', nargs='+', choices=list(DTYPES), default=['fp32', 'bf16']),
        ),
        verified,
    ),
)
