"""Everything once, on synthetic street scenes: generate, train, fuse, score, look. `make demo` runs it."""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cv2
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from ..errors import exit_on_input_error
from ..measure.timing import interleaved
from ..models import reparameterize_model
from ..training import prepare as preflight
from ..weights.load import load_weights

# What of a command's output is worth a tired reader's eye.
PROGRESS = re.compile(r'Iter\((train|val|test)\).*(loss|mIoU)|^largest relative|scenes of|evaluating the fused')
CONFIG = 'configs/pspnet_repvgg_a0_synthetic.py'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--dir', type=Path, default=Path('demo'), help='folder for everything that is made')
    parser.add_argument('--scenes', type=int, default=120, help='scenes to train on; a quarter as many to score on')
    parser.add_argument('--iters', type=int, default=300, help='training iterations of 4 crops')
    return parser.parse_args()


def run(log, title, *command):
    """Show a command as one would type it and run it: all it says goes to the log, its progress to the screen too.

    Where it fails, what it said last is shown and the demo ends.
    """
    command = ['tools/' + command[0], *map(str, command[1:])]
    print(f'\n=== {title}\n$ python {" ".join(command)}', flush=True)
    said = []
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            said.append(line)
            log.write(line)
            if PROGRESS.search(line):
                print('  ' + line.split(' - INFO - ')[-1].rstrip(), flush=True)
    if process.returncode:
        print(*said[-15:], sep='', end='')
        print(f'error: the command above failed; all it said is in {log.name}', file=sys.stderr)
        sys.exit(process.returncode)


def data_options(scenes):
    return [f'{loader}_dataloader.dataset.data_root={scenes}' for loader in ('train', 'val', 'test')]


def score(path):
    return json.loads(path.read_text())['metrics']


@torch.no_grad()
def seconds_per_image(checkpoint, image):
    """Median seconds of a forward pass in training form and fused, taken in turns."""
    cfg = preflight.load_config(CONFIG)
    preflight.use_bn_without_peers(cfg)
    init_default_scope('mmseg')
    model = MODELS.build(cfg.model).eval()
    load_weights(model, str(checkpoint))
    forms = dict(training=model, fused=reparameterize_model(model).eval())
    inputs = torch.from_numpy(cv2.imread(str(image))).permute(2, 0, 1)
    inputs = model.data_preprocessor(dict(inputs=[inputs]))['inputs']
    calls = {name: lambda form=form: form(inputs, mode='tensor') for name, form in forms.items()}
    times = interleaved(calls, inputs.device, rounds=15)
    return {name: statistics.median(values) for name, values in times.items()}


@exit_on_input_error
def main():
    args = parse_args()
    start = time.time()
    scenes, work, pictures = args.dir / 'scenes', args.dir / 'train', args.dir / 'pictures'
    checkpoint, fused = work / f'iter_{args.iters}.pth', args.dir / 'fused.pth'
    options = data_options(scenes)
    schedule = [
        f'train_cfg.max_iters={args.iters}',
        f'train_cfg.val_interval={args.iters}',
        f'param_scheduler.0.end={args.iters}',
        f'default_hooks.checkpoint.interval={args.iters}',
        'default_hooks.logger.interval=20',
        'randomness.seed=0',
    ]
    args.dir.mkdir(parents=True, exist_ok=True)
    for old in (work, pictures):  # of an earlier demo
        shutil.rmtree(old, ignore_errors=True)
    test = ('--work-dir', work, '--cfg-options', *options)
    # fmt: off
    with open(args.dir / 'log.txt', 'w') as log:
        run(log, '1. Synthetic street scenes',
            'make_synthetic_scenes.py', scenes, '--train', args.scenes, '--val', args.scenes // 4)
        run(log, f'2. Training PSPNet on RepVGG-A0, {args.iters} iterations from scratch (some minutes)',
            'train.py', CONFIG, '--work-dir', work, '--cfg-options', *options, *schedule)
        run(log, '3. Fusing every block into one 3x3 conv', 'reparameterize.py', CONFIG, checkpoint, fused, '--overwrite')
        run(log, '4. Scoring the fused network, and drawing what it sees',
            'test.py', CONFIG, fused, '--result', args.dir / 'fused.json', '--show-dir', pictures, *test)
        run(log, '5. Scoring the training form, for comparison',
            'test.py', CONFIG, checkpoint, '--no-fuse', '--result', args.dir / 'training_form.json', *test)
    # fmt: on
    image = next((scenes / 'leftImg8bit' / 'val').glob('*/*.png'))
    print('\n=== 6. Timing both forms in turns', flush=True)
    summarise(
        args,
        score(args.dir / 'training_form.json'),
        score(args.dir / 'fused.json'),
        seconds_per_image(checkpoint, image),
    )
    print(f'All of it took {(time.time() - start) / 60:.1f} minutes.')


def summarise(args, before, after, speed):
    drawn = sorted((args.dir / 'pictures').rglob('*.png'))
    print(f"""
=== What happened
A PSPNet with a RepVGG-A0 backbone learnt {args.scenes} synthetic street scenes for {args.iters} iterations, with three branches in
every block. Then each block was fused into a single 3x3 conv that computes the same, and both forms were scored on
{args.scenes // 4} scenes that neither had seen.

                        mIoU     pixel accuracy   ms per image ({torch.get_num_threads()} CPU threads)
  before (branches)   {before['mIoU']:6.2f}     {before['aAcc']:6.2f}           {speed['training'] * 1000:7.1f}
  after (fused)       {after['mIoU']:6.2f}     {after['aAcc']:6.2f}           {speed['fused'] * 1000:7.1f}    {speed['training'] / speed['fused']:.2f} times as fast

Pictures (label on the left, prediction on the right): {drawn[0].parent if drawn else args.dir / 'pictures'}
Fused checkpoint: {args.dir / 'fused.pth'}; everything that was said: {args.dir / 'log.txt'}

A few minutes from scratch make a mediocre segmentor; the point is that everything works here. What to type next:
  . .venv/bin/activate
  python tools/make_synthetic_scenes.py && python tools/train.py {CONFIG}   # the whole schedule
  python tools/train.py configs/pspnet_repvgg_b2.py   # the paper's experiment; says what it needs
README.md tells the rest.
""")
