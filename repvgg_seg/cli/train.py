"""Train a model: python tools/train.py CONFIG"""

import argparse

from mmengine.dist import get_world_size, is_main_process

from ..reports.run_record import write_run_record
from ..training.config import load_config
from ..training.distributed import end_together
from ..training.prepare import prepare
from ..training.resume import AUTO
from ..training.start import build, train
from ..training.trackers import TRACKERS
from .config_options import add_config_options, add_launcher_options, add_rehearsal_option, parse_run_args
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go; work_dirs/CONFIG by default')
    parser.add_argument(
        '--resume',
        nargs='?',
        const=AUTO,
        help='go on from this checkpoint, or without a name from the latest in the work dir',
    )
    parser.add_argument(
        '--resume-schedule',
        choices=['config', 'checkpoint'],
        default='config',
        help='whose schedule and optimizer settings a resumed run has, where config and checkpoint differ (config)',
    )
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision: float16 on a GPU, bfloat16 on a CPU'
    )
    parser.add_argument('--channels-last', action='store_true', help='kernels and feature maps channels last')
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile of the backbone: for a GPU, on a CPU it gains nothing'
    )
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help="scale the learning rate to the global batch (config's recipe)"
    )
    parser.add_argument(
        '--keep-global-batch', action='store_true', help="share the recipe's global batch among the GPUs that there are"
    )
    parser.add_argument(
        '--tracker',
        action='append',
        choices=TRACKERS,
        help='log to an experiment tracker too, whose package you install; may be given several times',
    )
    add_rehearsal_option(parser)
    add_config_options(parser)
    add_launcher_options(parser)
    return parse_run_args(parser)


@exit_on_input_error
def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    prepare(cfg, args, 'train')
    runner = build(cfg)
    if is_main_process():
        write_run_record(runner.log_dir, args.config, get_world_size())
    train(runner)
    end_together()
