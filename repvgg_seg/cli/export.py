"""Write a trained segmentor as a file for another engine: python tools/export.py CONFIG CHECKPOINT --to onnx"""

import argparse
import signal
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import Tensor

from ..errors import InputError
from ..export.engine_info import EngineInfo
from ..export.export_form import REWRITES
from ..export.formats import FORMATS, PRECISIONS, Format, chosen_format, formats_that_can
from ..export.write_engine_file import ExportOptions, check_target, write_engine_file
from ..export.write_fastest import write_fastest
from ..files import sha256
from ..inference.network import Network, load_network
from ..inference.sample_images import calibration_images, sample_images
from ..invocation import as_typed
from ..models.image_channels import image_channels
from ..training.work_dir import make_folder
from ..version import __version__
from ..weights import install_safe_reader
from ..weights.read import path_of
from .config_options import add_config_options
from .exit import end_on_sigterm, exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Write a trained segmentor, fused, as a file for another engine, and compare it with PyTorch'
    )
    parser.add_argument('config', help='config file, or the name of one')
    parser.add_argument('checkpoint', help='checkpoint file, in training or fused form')
    parser.add_argument(
        '--to',
        required=True,
        choices=[*FORMATS, 'auto'],
        help='what is to run the file; auto writes it for every engine that is installed and keeps the fastest here',
    )
    parser.add_argument('--size', nargs=2, type=int, metavar=('H', 'W'), help='the only images that the file takes')
    parser.add_argument('--dynamic', action='store_true', help='images of any size, the default where the engine can')
    parser.add_argument('--precision', choices=PRECISIONS, default='fp32', help='in which the engine computes')
    parser.add_argument('--out-dir', default='exported', help='folder for the file; exported by default')
    parser.add_argument(
        '--no-normalization',
        action='store_true',
        help='leave the normalisation of the image to the caller; otherwise the file takes pixels from 0 to 255, BGR',
    )
    parser.add_argument(
        '--images',
        nargs='+',
        default=(),
        help='images to compare with, and to calibrate 8 bits with; of the data set by default',
    )
    parser.add_argument(
        '--int8-error',
        type=float,
        default=ExportOptions.int8_error,
        help='with --precision int8, convs whose features would change by this share or more stay in fp32; '
        f'{ExportOptions.int8_error} by default',
    )
    parser.add_argument(
        '--skip', nargs='+', default=(), choices=REWRITES, help='rewrites to leave out, to compare with'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace files of an earlier export')
    parser.add_argument('--trust', action='store_true', help='read a checkpoint that runs code of its own when read')
    add_config_options(parser)
    return parser.parse_args()


def file_of(args: argparse.Namespace, format: Format, size: tuple[int, int] | None) -> Path:
    """The file that is written, named for the config and for what is not usual of it."""
    parts = [Path(args.config).stem]
    parts += [f'{size[0]}x{size[1]}'] if size else []
    parts += [args.precision] if args.precision != 'fp32' else []
    parts += ['without', *args.skip] if args.skip else []
    return Path(args.out_dir, '_'.join(parts) + format.suffix)


def info_of(args: argparse.Namespace, format: Format, size: tuple[int, int] | None, network: Network) -> EngineInfo:
    """What is written beside the file."""
    model, cfg = network.model, network.cfg
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    checkpoint = path_of(args.checkpoint)
    return EngineInfo.of_model(
        model,
        format=format.name,
        precision=args.precision,
        size=size,
        normalizes=not args.no_normalization,
        classes=network.classes,
        palette=network.palette,
        data_preprocessor=dict(cfg.model.get('data_preprocessor') or {}),
        test_cfg=dict(cfg.model.test_cfg),
        test_pipeline=list(dataset.get('pipeline') or cfg.get('test_pipeline') or []),
        about=dict(
            config=Path(args.config).stem,
            checkpoint=dict(name=checkpoint.name, sha256=sha256(checkpoint)),
            versions=dict(repvgg_seg=__version__, torch=torch.__version__, **format.versions()),
        ),
    )


@exit_on_input_error
def main() -> None:
    args = parse_args()
    if args.size and args.dynamic:
        raise InputError('--size and --dynamic exclude each other: leave one out')
    size = (args.size[0], args.size[1]) if args.size else None
    if not args.int8_error >= 0:
        raise InputError(f'--int8-error is a share, such as 0.05, or 0 for no conv in 8 bits, got {args.int8_error}')
    formats = (
        formats_that_can(args.precision, size) if args.to == 'auto' else [chosen_format(args.to, args.precision, size)]
    )
    targets = {file_of(args, format, size): format for format in formats}
    for target, format in targets.items():
        check_target(target, format.name, args.overwrite)
    signal.signal(signal.SIGTERM, end_on_sigterm)
    install_safe_reader()
    network = load_network(args.config, args.checkpoint, args.cfg_options, args.trust)
    channels = image_channels(network.model)
    images, where_from = sample_images(network.cfg, channels, args.images)
    calibration: Sequence[Tensor] = ()
    if args.precision == 'int8':
        calibration = images if args.images else calibration_images(network.cfg, channels)
    infos = {target: info_of(args, format, size, network) for target, format in targets.items()}
    make_folder(args.out_dir, '--out-dir')
    options = ExportOptions(images, calibration, args.int8_error, args.skip, args.overwrite)
    for format in formats:
        print_log(
            f'exporting for {format.engine}, images of {"any size" if size is None else "x".join(map(str, size))}',
            'current',
        )
    if args.to == 'auto':
        target, found, seconds = write_fastest(network.model, infos, options)
        times = ', '.join(f'{FORMATS[name].engine} {1e3 * time:.0f} ms' for name, time in seconds.items())
        print(f'fastest first, with {torch.get_num_threads()} threads: {times}')
    else:
        (target,) = targets
        found = write_engine_file(network.model, target, infos[target], options)
    print(
        f'compared with PyTorch on {where_from} ({", ".join(found.sizes)}): relative error of the logits '
        f'{found.relative_error:.1e}, {100 * found.equal_labels:.2f} % equal labels'
    )
    written = ', '.join(str(target.with_name(file.name)) for file in reversed(targets[target].files(target)))
    print(f'wrote {written} and {target}.json; {as_typed("test", args.config, "--engine", target)} scores it')
