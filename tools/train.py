"""Train a model: python tools/train.py CONFIG"""

import argparse
import os

import torch
from mmengine.runner import Runner

from repvgg_seg import preflight
from repvgg_seg.errors import InputError, exit_on_input_error


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
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help="scale the learning rate to the global batch (config's recipe)"
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
    preflight.check_folder(cfg.work_dir, '--work-dir')
    if args.resume:
        preflight.resume_from(cfg, args.resume)
    else:
        preflight.check_work_dir_is_new(cfg.work_dir)
    preflight.check_pretrained(cfg.model)
    if args.amp:
        if not torch.cuda.is_available():
            raise InputError('--amp needs a GPU, and there is none here: train without it')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise InputError(f'--auto-scale-lr: {args.config} has no auto_scale_lr=dict(base_batch_size=...)')
        cfg.auto_scale_lr.enable = True
    Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    main()
