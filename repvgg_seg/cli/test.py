"""Score a checkpoint, fused, or an exported file: python tools/test.py CONFIG CHECKPOINT"""

import argparse
import copy
import os
import os.path as osp
import sys
from pathlib import Path
from typing import Any

import matplotlib
from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from ..data.wrapped_datasets import inner_configs
from ..errors import InputError
from ..evaluation import ImageScoresHook
from ..evaluation.prediction_files import draw_predictions, write_predictions, write_what_metrics_write
from ..export import Engine, load_engine
from ..export.engine_segmentor import check_number_of_classes, engine_segmentor_config
from ..models.block import find_blocks
from ..optimize.options import checked_memory
from ..reports.record import check_writable, write_record
from ..training.agreement.norm_and_fusing import parts_not_fusible
from ..training.config import load_config
from ..training.distributed import end_together
from ..training.hooks import EvaluationMemoryHook, SwitchToDeployHook, TooLargeImagesHook
from ..training.prepare import prepare
from ..training.protections import hooks_of
from ..training.start import build, test
from ..training.work_dir import make_folder
from ..weights.load_into_model import find_backbone, load_weights
from ..weights.read import check_readable
from .config_options import add_config_options, add_launcher_options, add_rehearsal_option, parse_run_args
from .exit import exit_on_input_error
from .optimize_options import OPTIMIZE_OPTIONS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Score a checkpoint: mIoU, mAcc, aAcc and the table of classes; top-1 and top-5'
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file, in training or fused form')
    parser.add_argument(
        '--engine', metavar='FILE', help='score a file of tools/export.py, in the place of a checkpoint'
    )
    parser.add_argument('--no-fuse', action='store_true', help='score the training form (the fused one is the default)')
    parser.add_argument('--optimize', action='store_true', help='score the model as it is rewritten for inference')
    for name, options in OPTIMIZE_OPTIONS:
        parser.add_argument(name, **options)
    parser.set_defaults(memory=None)  # that of the config, if it has one
    parser.add_argument('--tta', action='store_true', help='test-time augmentation: scales and flips of the config')
    parser.add_argument('--result', help='write figures, config, versions and device to this JSON file')
    parser.add_argument(
        '--out', help='save predictions into this folder as label PNGs; for Cityscapes the official label ids'
    )
    parser.add_argument('--format-only', action='store_true', help='with --out: no scores, for images without labels')
    parser.add_argument('--show-dir', help='save predictions as pictures under this folder')
    parser.add_argument(
        '--examples', help='save the three worst and the three best images under this folder, for tools/report.py'
    )
    parser.add_argument('--show', action='store_true', help='show predictions on the screen')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds that --show shows each')
    parser.add_argument('--trust', action='store_true', help='read a checkpoint that runs code of its own when read')
    parser.add_argument('--work-dir', help='where the log goes; work_dirs/CONFIG by default')
    add_rehearsal_option(parser)
    add_config_options(parser)
    add_launcher_options(parser)
    return parse_run_args(parser)


def check_what_is_scored(args: argparse.Namespace) -> None:
    """Refuse no file, two files, and options that are for a checkpoint alone."""
    if args.engine is None:
        if args.checkpoint is None:
            raise InputError('nothing to score: name a checkpoint, or a file of tools/export.py (--engine FILE)')
        return
    if args.checkpoint is not None:
        raise InputError(f'--engine is scored in the place of a checkpoint: leave out {args.checkpoint}')
    for name in ('no_fuse', 'optimize', 'trust'):
        if getattr(args, name):
            raise InputError(f'--{name.replace("_", "-")} is for a checkpoint, and --engine names a file as it is')


def use_engine(cfg: Config, args: argparse.Namespace) -> None:
    """Put an exported file in the place of the network of the config."""
    if args.tta:
        cfg.model.module = engine_segmentor_config(args.engine, cfg.model.module)
    else:
        cfg.model = engine_segmentor_config(args.engine, cfg.model)


def apply_args(cfg: Config, args: argparse.Namespace) -> None:
    """Edit the config as the options of this tool say.

    Raises:
        InputError: options that do not go together, or not with this config.
    """
    if 'decode_head' not in cfg.model:
        check_classifier_args(args)
    if args.tta and 'tta_pipeline' not in cfg:
        raise InputError(f'--tta: {args.config} has no tta_pipeline')
    if args.optimize and (args.no_fuse or args.tta):
        raise InputError('--optimize goes with neither --no-fuse nor --tta: score those forms one by one')
    if not args.optimize and (args.memory is not None or args.measure_anew):
        raise InputError('--memory and --measure-anew go with --optimize: add it, or leave them out')
    choose_form(cfg, args)
    if args.tta:
        for dataset in inner_configs(cfg.test_dataloader.dataset):
            dataset['pipeline'] = copy.deepcopy(cfg.tta_pipeline)
        cfg.model = dict(**cfg.get('tta_model', dict(type='SegTTAModel')), module=cfg.model)
    write_what_metrics_write(cfg)
    save_predictions(cfg, args)


def choose_form(cfg: Config, args: argparse.Namespace) -> None:
    """Edit the hook that evaluates another form than that in training, as `--no-fuse` and `--optimize` say."""
    switches = list(hooks_of(cfg.custom_hooks, 'SwitchToDeployHook'))
    if args.no_fuse:
        cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook not in switches]
    elif args.optimize:
        how: dict[str, Any] = dict(optimize=True)
        if args.memory is not None:
            how['memory'] = checked_memory(args.memory)
        if args.measure_anew:
            how['measure_anew'] = True
        if not switches:  # the config takes the hook out, and the command line asks for it
            cfg.custom_hooks = [*cfg.custom_hooks, dict(type='SwitchToDeployHook', **how)]
        for hook in switches:
            hook.update(how)
    else:
        for hook in switches:
            hook.pop('optimize', None)


def check_classifier_args(args: argparse.Namespace) -> None:
    """Refuse what is for segmentors only."""
    for name in ('tta', 'out', 'format_only', 'show_dir', 'show', 'examples'):
        if getattr(args, name):
            raise InputError(f'--{name.replace("_", "-")} is for segmentors, and {args.config} is none: leave it out')


def save_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Edit the config as `--out`, `--format-only`, `--show-dir` and `--show` say, and make the folders."""
    if args.format_only and not args.out:
        raise InputError('--format-only needs --out DIR, the folder for the predictions')
    if args.format_only and args.result:
        raise InputError('--format-only scores nothing, so there is no --result to write')
    if args.out and args.show_dir and osp.realpath(args.out) == osp.realpath(args.show_dir):
        raise InputError(
            f'--out and --show-dir are both {args.out}: name two folders, since their files have the same names'
        )
    if args.show and not has_display():
        raise InputError('--show: there is no display here: --show-dir DIR saves the pictures')
    if args.out and osp.isdir(args.out) and os.listdir(args.out):
        raise InputError(f'--out {args.out} is not empty: name a new folder, so that nothing is overwritten')
    if args.format_only and args.examples:
        raise InputError('--examples needs scores, and --format-only makes none: leave one out')
    if args.examples and osp.isdir(args.examples) and os.listdir(args.examples):
        raise InputError(f'--examples {args.examples} is not empty: name a new folder, so that nothing is overwritten')
    make_folder(args.out, '--out')
    make_folder(args.examples, '--examples')
    make_folder(args.show_dir, '--show-dir')
    if args.result is not None:
        check_writable(args.result)
    if args.out:
        write_predictions(cfg, args.out, score=not args.format_only)
    if args.show or args.show_dir:
        draw_predictions(cfg, args.show_dir, args.show, args.wait_time)


def has_display() -> bool:
    """Whether a picture can be shown: not on a machine without a screen, nor by a matplotlib that only writes files."""
    if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        return False
    return matplotlib.get_backend().lower() not in ('agg', 'cairo', 'pdf', 'pgf', 'ps', 'svg', 'template')


def form_of(args: argparse.Namespace, runner: Runner) -> str:
    """The form that is scored, as the record names it."""
    if args.optimize:
        return 'optimized'
    if find_backbone(runner.model)[1] is None:
        return 'no RepVGG'
    fuses = any(isinstance(hook, SwitchToDeployHook) for hook in runner.hooks) and not parts_not_fusible(runner.model)
    return 'fused' if fuses or not find_blocks(runner.model) else 'training form'


def per_class_of(metric: BaseMetric | None) -> dict[str, Any]:
    """The table of classes for the record, where the metric has one."""
    per_class = getattr(metric, 'per_class', None)
    return {} if per_class is None else dict(per_class=per_class)


def windows_of(runner: Runner) -> dict[str, Any]:
    """For the record: which images did not fit in memory and were computed in windows, whose scores differ slightly."""
    found = [hook for hook in runner.hooks if isinstance(hook, TooLargeImagesHook) and hook.images]
    return dict(too_large_images=dict(number=found[0].images, windows=found[0].windows)) if found else {}


def engine_of(engine: Engine | None) -> dict[str, Any]:
    """For the record: the exported file that is scored."""
    return {} if engine is None else dict(engine=engine.facts())


def image_scores_of(scores: ImageScoresHook, record: str) -> dict[str, Any]:
    """For the record: confusion matrix, score of every image, and where the pictures of examples are, seen from it."""
    found: dict[str, Any] = {}
    if scores.confusion is not None:
        found = dict(confusion=scores.confusion, image_miou=scores.scores)
    if scores.folder:
        found['examples'] = Path(osp.relpath(scores.folder, osp.dirname(record) or '.')).as_posix()
    return found


@exit_on_input_error
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    check_what_is_scored(args)
    engine = load_engine(args.engine) if args.engine is not None else None
    if engine is not None:
        check_number_of_classes(engine, cfg.model)
    else:
        check_readable(args.checkpoint)
    prepare(cfg, args, 'test')
    apply_args(cfg, args)
    if engine is not None:
        use_engine(cfg, args)
    runner = build(cfg)
    runner.register_hook(memory := EvaluationMemoryHook())
    if args.result or args.examples:
        runner.register_hook(scores := ImageScoresHook(args.examples))
    meta = engine.meta if engine is not None else load_weights(runner.model, args.checkpoint, trust=args.trust)
    if args.no_fuse and find_backbone(runner.model)[1] is not None and not find_blocks(runner.model):
        raise InputError(f'--no-fuse: {args.checkpoint} is fused already; give the training checkpoint')
    metrics = test(runner, args.engine or args.checkpoint, None if args.no_rehearsal else meta)
    if args.result and is_main_process():
        write_record(
            args.result,
            config=args.config,
            options=args.cfg_options or {},
            checkpoint=args.checkpoint,
            trust=args.trust,
            form=form_of(args, runner) if engine is None else engine.name,
            **engine_of(engine),
            tta=args.tta,
            images=getattr(runner.test_dataloader.sampler, 'number', len(runner.test_dataloader.dataset)),
            processes=get_world_size(),
            memory_mib=memory.figures,
            **windows_of(runner),
            metrics={name: float(value) for name, value in metrics.items()},
            **per_class_of(next(iter(runner.test_evaluator.metrics), None)),
            **image_scores_of(scores, args.result),
        )
    end_together()
