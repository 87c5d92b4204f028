"""Everything once, on synthetic street scenes: generate, train, fuse, score, look, report. `make demo` runs it."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

import torch
from mmseg.registry import MODELS

from ..data.read_image import read_image
from ..invocation import command_line, config_name
from ..measure.timing import interleaved
from ..models import reparameterize_model
from ..training.config import load_config
from ..training.prepare import prepare_model
from ..weights.load_into_model import load_weights
from .exit import exit_on_input_error

# The lines of a command's output that are shown on the screen.
PROGRESS = re.compile(r'Iter\((train|val|test)\).*(loss|mIoU)|^largest relative|scenes of|evaluating the fused')
CONFIG = config_name('pspnet_repvgg_a0_synthetic')


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--dir', type=Path, default=Path('demo'), help='folder for everything that is made')
    parser.add_argument('--scenes', type=int, default=120, help='scenes to train on; a quarter as many to score on')
    parser.add_argument('--iters', type=int, default=300, help='training iterations of 4 crops')
    return parser.parse_args()


def run(log: TextIO, title: str, tool: str, *arguments: object) -> None:
    """Show a command as a user types it, and run it: its output goes to the log, its progress to the screen too.

    Where the command fails, its last lines are shown and the demo ends.

    Args:
        log: an open file with a name.
        title: shown above the command.
        tool: its name, such as 'train'.
        arguments: of the tool.
    """
    start, shown = command_line(tool)
    texts = list(map(str, arguments))
    print(f'\n=== {title}\n$ {" ".join([shown, *texts])}', flush=True)
    output = []
    env = dict(os.environ, PYTHONIOENCODING='utf-8')  # Windows writes into a pipe otherwise
    with subprocess.Popen([*start, *texts], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env) as process:
        for written in process.stdout or ():
            line = written.decode('utf-8', errors='replace').replace('\r\n', '\n')
            output.append(line)
            log.write(line)
            if PROGRESS.search(line):
                print('  ' + line.split(' - INFO - ')[-1].rstrip(), flush=True)
    if process.returncode:
        print(*output[-15:], sep='', end='')
        print(f'error: the command above failed; its whole output is in {log.name}', file=sys.stderr)
        sys.exit(process.returncode)


def score(path: Path) -> dict[str, float]:
    """The metrics of a record that the tool `test` wrote."""
    return json.loads(path.read_text(encoding='utf-8'))['metrics']


@torch.no_grad()
def seconds_per_image(checkpoint: Path, image: Path) -> dict[str, float]:
    """Median seconds of a forward pass of an image in training form and in fused form, timed in turn."""
    cfg = load_config(CONFIG)
    prepare_model(cfg)
    model = MODELS.build(cfg.model).eval()
    load_weights(model, str(checkpoint))
    forms = dict(training=model, fused=reparameterize_model(model).eval())
    inputs = torch.from_numpy(read_image(image)).permute(2, 0, 1)
    inputs = model.data_preprocessor(dict(inputs=[inputs]))['inputs']
    calls: dict[str, Callable[[], object]] = {
        name: partial(form, inputs, mode='tensor') for name, form in forms.items()
    }
    times = interleaved(calls, inputs.device, rounds=15)
    return {name: statistics.median(values) for name, values in times.items()}


@exit_on_input_error
def main() -> None:
    args = parse_args()
    start = time.time()
    scenes, work, pictures = args.dir / 'scenes', args.dir / 'train', args.dir / 'pictures'
    page = args.dir / 'report.html'
    checkpoint, fused = work / f'iter_{args.iters}.pth', args.dir / 'fused.pth'
    options = [f'{loader}_dataloader.dataset.data_root={scenes}' for loader in ('train', 'val', 'test')]
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
    with open(args.dir / 'log.txt', 'w', encoding='utf-8') as log:
        run(log, '1. Synthetic street scenes',
            'make_synthetic_scenes', scenes, '--train', args.scenes, '--val', args.scenes // 4)
        run(log, f'2. Training PSPNet on RepVGG-A0, {args.iters} iterations from scratch (some minutes)',
            'train', CONFIG, '--work-dir', work, '--cfg-options', *options, *schedule)
        run(log, '3. Fusing every block into one 3x3 conv', 'reparameterize', CONFIG, checkpoint, fused, '--overwrite')
        run(log, '4. Scoring the fused network, and drawing what it predicts',
            'test', CONFIG, fused, '--result', work / 'fused.json', '--show-dir', pictures,
            '--examples', work / 'examples', *test)
        run(log, '5. Scoring the training form, for comparison',
            'test', CONFIG, checkpoint, '--no-fuse', '--result', work / 'training_form.json', *test)
        run(log, '6. One page about the run', 'report', work, '--out', page, '--overwrite')
    # fmt: on
    image = next((scenes / 'leftImg8bit' / 'val').glob('*/*.png'))
    print('\n=== 7. Timing both forms in turn', flush=True)
    before, after = score(work / 'training_form.json'), score(work / 'fused.json')
    print(summary(args, before, after, seconds_per_image(checkpoint, image)))
    print(f'All of it took {(time.time() - start) / 60:.1f} minutes.')
    print(f'A page about the run, to open in a browser and to send to others:\n{page.resolve()}')


def summary(args: Namespace, before: dict[str, float], after: dict[str, float], seconds: dict[str, float]) -> str:
    """What the demo shows at its end.

    Args:
        args: of the demo.
        before: metrics of the training form.
        after: metrics of the fused form.
        seconds: of an image in both forms.
    """
    drawn = sorted((args.dir / 'pictures').rglob('*.png'))
    tools = {name: command_line(name)[1] for name in ('make_synthetic_scenes', 'train')}
    activate = '  . .venv/bin/activate\n' if Path('.venv/bin/activate').is_file() else ''
    return f"""
=== What happened
A PSPNet with a RepVGG-A0 backbone learnt {args.scenes} synthetic street scenes for {args.iters} iterations, with up to three branches in
every block. Then each block was fused into a single 3x3 conv that computes the same, and both forms were scored on
{args.scenes // 4} scenes that were not trained on.

                        mIoU     pixel accuracy   ms per image ({torch.get_num_threads()} CPU threads)
  before (branches)   {before['mIoU']:6.2f}     {before['aAcc']:6.2f}           {seconds['training'] * 1000:7.1f}
  after (fused)       {after['mIoU']:6.2f}     {after['aAcc']:6.2f}           {seconds['fused'] * 1000:7.1f}    {seconds['training'] / seconds['fused']:.2f} times as fast

Pictures (label on the left, prediction on the right): {drawn[0].parent if drawn else args.dir / 'pictures'}
Fused checkpoint: {args.dir / 'fused.pth'}; the output of every command: {args.dir / 'log.txt'}

A few minutes of training from scratch give a mediocre segmentor; the demo shows that everything works here. Next commands:
{activate}  {tools['make_synthetic_scenes']} && {tools['train']} {CONFIG}   # the whole schedule
  {tools['train']} {config_name('pspnet_repvgg_b2')}   # the paper's experiment; says what it needs
README.md has the rest.
"""
