"""Train a model: python tools/train.py CONFIG"""

import argparse
import os

from mmengine.runner import Runner

from ..errors import InputError, exit_on_input_error
from ..training import prepare as preflight
from ..training.hooks.batch_size_hook import check_whole_batch


def parse_args():
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go; work_dirs/CONFIG by default')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint, or without a name from the latest in the work dir',
    )
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision: float16 on a GPU, bfloat16 on a CPU'
    )
    parser.add_argument('--channels-last', action='store_true', help='kernels and feature maps channels last')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help="scale the learning rate to the global batch (config's recipe)"
    )
    parser.add_argument(
        '--keep-global-batch', action='store_true', help="share the recipe's global batch among the GPUs that there are"
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=preflight.CfgOptions, help='override settings: key=value ...'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


@exit_on_input_error
def main():
    args = parse_args()
    cfg = preflight.load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    preflight.default_work_dir(cfg, args.config, args.work_dir)
    preflight.use_bn_without_peers(cfg)
    preflight.use_gloo_without_gpu(cfg)
    preflight.fit_loaders(cfg)
    preflight.check_folder(cfg.work_dir, '--work-dir')
    if args.resume:
        preflight.resume_from(cfg, args.resume)
    else:
        preflight.check_work_dir_is_new(cfg.work_dir)
    preflight.check_pretrained(cfg.model)
    if args.amp:
        preflight.use_amp(cfg)
    if args.channels_last:
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), dict(type='ChannelsLastHook')]
    if args.keep_global_batch:
        preflight.keep_global_batch(cfg)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise InputError(f'--auto-scale-lr: {args.config} has no auto_scale_lr=dict(base_batch_size=...)')
        cfg.auto_scale_lr.enable = True
    runner = Runner.from_cfg(cfg)
    check_whole_batch(runner.train_dataloader)
    runner.train()
    preflight.leave_group()
