"""Score a checkpoint, fused: python tools/test.py CONFIG CHECKPOINT"""

import argparse
import os

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..errors import InputError, exit_on_input_error
from ..models.block import find_blocks
from ..reports.record import check_writable, write_record
from ..training import prepare as preflight
from ..weights.load import find_backbone, load_weights


def parse_args():
    parser = argparse.ArgumentParser(
        description='Score a checkpoint: mIoU, mAcc, aAcc and the table of classes; top-1 and top-5'
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file, in training or fused form')
    parser.add_argument('--no-fuse', action='store_true', help='score the training form (the fused one is the default)')
    parser.add_argument('--optimize', action='store_true', help='score the model as it is rewritten for inference')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation: scales and flips of the config')
    parser.add_argument('--result', help='write figures, config, versions and device to this JSON file')
    parser.add_argument(
        '--out', help='save predictions into this folder as label PNGs; for Cityscapes the official label ids'
    )
    parser.add_argument('--format-only', action='store_true', help='with --out: no scores, for images without labels')
    parser.add_argument('--show-dir', help='save predictions as pictures under this folder')
    parser.add_argument('--show', action='store_true', help='show predictions on the screen')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds that --show shows each')
    parser.add_argument('--trust', action='store_true', help='read a checkpoint that runs code of its own when read')
    parser.add_argument('--work-dir', help='where the log goes; work_dirs/CONFIG by default')
    parser.add_argument(
        '--cfg-options', nargs='+', action=preflight.CfgOptions, help='override settings: key=value ...'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def apply_args(cfg, args):
    cfg.launcher = args.launcher
    cfg.load_from, cfg.resume = None, False  # the tool loads the checkpoint itself, strictly
    preflight.default_work_dir(cfg, args.config, args.work_dir)
    for folder, option in ((cfg.work_dir, '--work-dir'), (args.show_dir, '--show-dir'), (args.out, '--out')):
        preflight.check_folder(folder, option)
    preflight.use_bn_without_peers(cfg)
    preflight.use_gloo_without_gpu(cfg)
    preflight.fit_loaders(cfg)
    if 'decode_head' not in cfg.model:
        check_classifier_args(args)
    if args.tta and 'tta_pipeline' not in cfg:
        raise InputError(f'--tta: {args.config} has no tta_pipeline')
    if args.optimize and (args.no_fuse or args.tta):
        raise InputError('--optimize goes with neither --no-fuse nor --tta: score those forms one by one')
    hooks = [hook for hook in cfg.get('custom_hooks', []) if hook['type'] != 'SwitchToDeployHook']
    if not args.no_fuse:
        hooks.append(dict(type='SwitchToDeployHook', optimize=args.optimize))
    cfg.custom_hooks = hooks
    if args.tta:
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.model = dict(**cfg.tta_model, module=cfg.model)
    if args.show or args.show_dir:
        cfg.default_hooks.visualization = dict(
            type='SegVisualizationHook', draw=True, show=args.show, wait_time=args.wait_time
        )
        if args.show_dir:
            cfg.visualizer.save_dir = args.show_dir
    save_predictions(cfg, args)


def check_classifier_args(args):
    """Refuse what is for segmentors only."""
    for name in ('tta', 'out', 'format_only', 'show_dir', 'show'):
        if getattr(args, name):
            raise InputError(f'--{name.replace("_", "-")} is for segmentors, and {args.config} is none: leave it out')


def without_labels(pipeline):
    """A pipeline, or the ones inside its test-time augmentation, without loading labels."""
    steps = [step for step in pipeline if step['type'] != 'LoadAnnotations']
    for step in steps:
        if step['type'] == 'TestTimeAug':
            step['transforms'] = [s for s in map(without_labels, step['transforms']) if s]
    return steps


def save_predictions(cfg, args):
    if args.format_only and not args.out:
        raise InputError('--format-only needs --out DIR, the folder for the predictions')
    if args.format_only and args.result:
        raise InputError('--format-only scores nothing, so there is no --result to write')
    if args.format_only:
        dataset = cfg.test_dataloader.dataset
        dataset.data_prefix.pop('seg_map_path', None)
        dataset.pipeline = without_labels(dataset.pipeline)
        cfg.test_evaluator.format_only = True
    if not args.out:
        return
    if os.listdir(args.out):
        raise InputError(f'--out {args.out} is not empty: name a new folder, so that nothing is overwritten')
    if cfg.test_dataloader.dataset.type == 'CheckedCityscapesDataset':
        official = dict(type='CityscapesMetric', output_dir=args.out, format_only=True, keep_results=True)
        cfg.test_evaluator = official if args.format_only else [cfg.test_evaluator, official]
    else:
        cfg.test_evaluator.output_dir = args.out


def form_of(args, is_repvgg):
    if args.optimize:
        return 'optimized'
    if not is_repvgg:
        return 'no RepVGG'
    return 'training form' if args.no_fuse else 'fused'


def per_class_of(metric):
    """The table of classes, of a metric that has one."""
    return dict(per_class=metric.per_class) if hasattr(metric, 'per_class') else {}


@exit_on_input_error
def main():
    args = parse_args()
    cfg = preflight.load_config(args.config, args.cfg_options)
    apply_args(cfg, args)
    if args.result:
        check_writable(args.result)
    runner = Runner.from_cfg(cfg)
    load_weights(runner.model, args.checkpoint, trust=args.trust)
    is_repvgg = find_backbone(runner.model)[1] is not None
    if args.no_fuse and is_repvgg and not find_blocks(runner.model):
        raise InputError(f'--no-fuse: {args.checkpoint} is fused already; give the training checkpoint')
    metrics = runner.test()
    if args.result and is_main_process():
        write_record(
            args.result,
            config=args.config,
            options=args.cfg_options or {},
            checkpoint=args.checkpoint,
            trust=args.trust,
            form=form_of(args, is_repvgg),
            tta=args.tta,
            images=len(runner.test_dataloader.dataset),
            metrics={name: float(value) for name, value in metrics.items()},
            **per_class_of(runner.test_evaluator.metrics[0]),
        )
    preflight.leave_group()
