"""Segment images, folders, videos and cameras: python tools/predict.py photo.jpg"""

import argparse
import os.path as osp
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..export.engine import is_engine_file
from ..inference.inputs import KINDS, Source, find_sources
from ..inference.outputs import IDS, Outputs
from ..inference.predict_sources import Report, SourcePredictor, number_of_images
from ..inference.progress import PredictionProgress
from ..inference.segmentor import FORMS, Segmentor
from ..inference.video import quiet_codecs
from ..training.work_dir import make_folder
from ..version import __version__
from ..weights import install_safe_reader
from .config_options import add_config_options
from .exit import end_on_sigterm, exit_on_input_error
from .optimize_options import OPTIMIZE_OPTIONS

# From so many images on, rewriting the network takes less time than it saves, measurements of a first call included.
MANY = 32
_NOT_INPUTS = {'.py': '--config'} | dict.fromkeys(
    ('.pth', '.pt', '.safetensors', '.onnx', '.xml', '.param', '.pt2'), '--checkpoint'
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Segment images, folders, videos and cameras; with the network that comes with the package, or your own'
    )
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='an image, a folder, a pattern in quotes, a video, the number or address of a camera, or - for standard input '
        '(an image, a video, or a list of paths)',
    )
    parser.add_argument('--config', help='config file, or the name of one; that in the checkpoint by default')
    parser.add_argument('--checkpoint', help='checkpoint file, in training or fused form, or a file of tools/export.py')
    parser.add_argument('--out-dir', help='folder for the predictions; a new one, predictions, by default')
    parser.add_argument(
        '--write',
        metavar=','.join(KINDS),
        help='what is written, with commas between; by default all for an image, and the overlay for a video',
    )
    parser.add_argument(
        '--ids', choices=IDS, default='train', help='numbers in label PNGs: class numbers, or Cityscapes ids'
    )
    parser.add_argument('--opacity', type=float, default=0.5, help='of the colours in overlays, from 0 to 1')
    parser.add_argument('--overwrite', action='store_true', help='replace files of earlier predictions in --out-dir')
    parser.add_argument('--device', help='cpu, cuda or cuda:NUMBER; the GPU where there is one by default')
    parser.add_argument(
        '--form',
        choices=('auto', *FORMS),
        default='auto',
        help=f'form of the network; auto, the default, is optimized for {MANY} images or more, and fused for fewer',
    )
    parser.add_argument(
        '--batch-size', type=int, help='images of one size at a time; 1 on a CPU and 8 on a GPU by default'
    )
    parser.add_argument('--frames', type=int, help='end a camera or a video after so many frames')
    memory = dict(OPTIMIZE_OPTIONS)['--memory']
    tiles = ', which also limits what an image may take: larger ones are computed in tiles'
    parser.add_argument('--memory', **dict(memory, help=memory['help'] + tiles))
    parser.add_argument('--trust', action='store_true', help='read a checkpoint that runs code of its own when read')
    add_config_options(parser)
    # Options may stand between inputs; inputs behind `--` are for the other parser alone.
    return parser.parse_args() if '--' in sys.argv else parser.parse_intermixed_args()


def check_args(args: argparse.Namespace) -> list[str] | None:
    """Check the options; returns what is to be written."""
    for word in args.inputs:
        if (option := _NOT_INPUTS.get(osp.splitext(word)[1])) is not None:
            raise InputError(f'{word} is no image: say {option} {word}')
    if args.out_dir is not None and not args.out_dir.strip():
        raise InputError('--out-dir names no folder: give it one, or leave it out')
    if not 0 <= args.opacity <= 1:
        raise InputError(f'--opacity must be from 0 to 1, got {args.opacity}')
    for name in ('batch_size', 'frames'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise InputError(f'--{name.replace("_", "-")} must be 1 or more, got {getattr(args, name)}')
    if args.write is None:
        return None
    kinds = [word.strip() for word in args.write.split(',')]
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(f'--write {args.write}: {kind!r} is none of {", ".join(KINDS)}; put commas between them')
    return kinds


def new_folder() -> str:
    """`predictions`, or `predictions_2` and so on where that exists."""
    name, number = 'predictions', 1
    while osp.lexists(name):
        number += 1
        name = f'predictions_{number}'
    return name


def record_of(segmentor: Segmentor, report: Report, complete: bool) -> dict[str, Any]:
    """What `predictions.json` holds."""
    return dict(
        version=__version__,
        config=segmentor.config,
        checkpoint=segmentor.checkpoint,
        form=segmentor.form,
        device=str(segmentor.device),
        classes=segmentor.classes,
        palette=segmentor.palette,
        complete=complete,
        images=report.images,
        seconds=round(report.seconds, 3),
        in_tiles=segmentor.images_in_tiles,
        predicted=report.predicted,
        broken=[dict(input=name, reason=reason) for name, reason in report.broken],
    )


def tell(report: Report, outputs: Outputs, sources: Sequence[Source]) -> None:
    """Say what was done, and what could not be."""
    kinds = dict.fromkeys(kind for source in sources for kind in outputs.kinds_for(source))
    where = f'{", ".join(kinds)} in {outputs.folder}' if report.images else f'nothing is written into {outputs.folder}'
    number = f'{report.images} image{"s" * (report.images != 1)}'
    print(f'{number} in {report.seconds:.1f} s, {report.images / max(report.seconds, 1e-6):.2f} images/s: {where}')
    if report.broken:
        sys.stdout.flush()
        print(f'error: {len(report.broken)} of {len(sources)} inputs could not be predicted:', file=sys.stderr)
        for name, reason in report.broken:
            print(f'  {reason}' if name in reason else f'  {name}: {reason}', file=sys.stderr)


@exit_on_input_error
def main() -> None:
    args = parse_args()
    kinds = check_args(args)
    signal.signal(signal.SIGTERM, end_on_sigterm)
    install_safe_reader()
    quiet_codecs()
    with tempfile.TemporaryDirectory(prefix='repvgg_seg_') as scratch:
        sources = find_sources(args.inputs, scratch)
        total = number_of_images(sources, args.frames)
        form = args.form
        if form == 'auto':
            many = total is None or total >= MANY
            form = 'optimized' if many and not is_engine_file(args.checkpoint) else 'fused'
        segmentor = Segmentor(
            args.config, args.checkpoint, args.device, form, args.memory, args.cfg_options, trust=args.trust
        )
        folder = Path(args.out_dir if args.out_dir is not None else new_folder())
        outputs = Outputs(folder, sources, kinds, segmentor.classes, args.ids, args.opacity, args.overwrite)
        make_folder(str(folder), '--out-dir')
        batch_size = args.batch_size or (8 if segmentor.device.type == 'cuda' else 1)
        complete = False
        with PredictionProgress(total) as progress:
            predictor = SourcePredictor(segmentor, outputs, progress, batch_size, args.frames)
            try:
                predictor.predict(sources)
                complete = True
            finally:
                outputs.write_record(record_of(segmentor, predictor.report, complete))
        tell(predictor.report, outputs, sources)
    if predictor.report.broken:
        sys.exit(1)
