"""What a report computes of a run: its scores by the tool `test`, and its two forms side by side."""

import logging
import re
import statistics
import subprocess
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import FUNCTIONS
from mmseg.registry import DATASETS, MODELS
from torch import Tensor

from ..data.wrapped_datasets import inner_configs
from ..errors import InputError, one_line
from ..invocation import command_line
from ..measure.device_name import device_name
from ..measure.difference import relative_error
from ..measure.memory import peak_memory
from ..measure.timing import interleaved, seconds
from ..models import reparameterize_model
from ..models.block import find_blocks
from ..reports.record import read_record
from ..reports.runs.run import Run
from ..training.config import load_config
from ..training.one_line_error import told_in_one_line
from ..training.prepare import prepare_model
from ..weights.load_into_model import load_weights

_PROGRESS = re.compile(r'Iter\(test\)')
_SECONDS = 15  # that the timing of both forms may take, beyond three calls of each


def evaluate(run: Run, args: Namespace, folder: Path) -> None:
    """Score the checkpoint of a run in both forms, and compare them; what cannot be done is noted in `run.missing`.

    A record that the work dir holds already is used, unless the options ask for other images.

    Args:
        run: changed in place.
        args: `split`, `images` and `cfg_options` of tools/report.py.
        folder: for the files of the evaluation.
    """
    if run.config is None or run.checkpoint is None:
        return
    folder.mkdir(parents=True)
    name = run.config_file.stem if run.config_file else 'config'
    config = folder / f'{name}.py'
    try:
        Config(dict(run.config)).dump(config)  # from plain values: nothing that stands in a checkpoint is run
        cfg = load_config(str(config), dict(args.cfg_options or {}))
        split = _choose_images(cfg, args)
        cfg.dump(config)
    except InputError as error:
        run.missing.append(f'Nothing was evaluated: {one_line(error)}.')
        return
    asked = bool(args.images or args.split or args.cfg_options)
    if asked:
        run.records = {}  # of other images
    for form, option in (('fused', ()), ('training form', ('--no-fuse',))):
        known = run.records.get(form, ({}, None))[0]
        if known and not asked and (form != 'fused' or 'confusion' in known or 'decode_head' not in cfg.model):
            continue
        if form != 'fused' and 'fused' not in run.records:
            break
        _score(run, config, folder, form, option, split)
    try:
        run.comparison = compare_forms(cfg, str(run.checkpoint))
    except InputError as error:
        run.missing.append(f'The two forms were not compared: {one_line(error)}.')
    except Exception as error:  # a model or data set of one's own may raise anything
        said = one_line(told_in_one_line(error, 'comparing the two forms'))
        run.missing.append(f'The two forms were not compared: {said}.')


def _choose_images(cfg: Config, args: Namespace) -> str:
    """Let a config test on the split and on as many images as the options say; returns the split."""
    split = 'val' if args.split == 'val' or not cfg.get('test_dataloader') else 'test'
    if split == 'val':
        if not cfg.get('val_dataloader'):
            raise InputError(
                'the config has no validation set' if args.split == 'val' else 'the config has no test set'
            )
        cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
        cfg.test_cfg = cfg.get('test_cfg') or dict(type='TestLoop')
    if args.images:
        cfg.test_dataloader.sampler = dict(type='EvenlySpreadSampler', number=args.images)
    return split


def _score(run: Run, config: Path, folder: Path, form: str, option: tuple[str, ...], split: str) -> None:
    """Let the tool `test` score the checkpoint, and read its record."""
    stem = form.replace(' ', '_')
    result = folder / f'{stem}.json'
    start, _ = command_line('test')
    arguments = [config, run.checkpoint, *option, '--result', result, '--work-dir', folder / 'log']
    if form == 'fused' and 'decode_head' in (run.config or {}).get('model', {}):
        arguments += ['--examples', folder / 'examples']
    shown = form if option else 'fused form'
    print(f'{run.name}: scoring the {shown}', flush=True)
    lines: list[str] = []
    with subprocess.Popen([*start, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for written in process.stdout or ():
            lines.append(written.decode('utf-8', errors='replace').rstrip())
            if _PROGRESS.search(lines[-1]):
                print('  ' + lines[-1].split(' - INFO - ')[-1], flush=True)
    record = read_record(result)
    if process.returncode or record is None:
        said = next((line.removeprefix('error: ') for line in reversed(lines) if line.startswith('error: ')), None)
        said = said or next((line for line in reversed(lines) if line.strip()), f'status {process.returncode}')
        run.missing.append(f'The {shown} was not scored: {said.replace(str(config), "the config")}.')
        return
    run.records[record['form']] = (record | dict(split=split), folder)


@torch.inference_mode()
def compare_forms(cfg: Config, checkpoint: str) -> dict[str, Any]:
    """Logits, time, memory and parameters of the training form and of the fused form, on the first test image.

    Args:
        cfg: with the model and the test set.
        checkpoint: a file in training form.

    Raises:
        InputError: the model or the data set cannot be built; the checkpoint has no blocks in training form.
    """
    cfg = Config(cfg.to_dict())
    prepare_model(cfg)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = MODELS.build(cfg.model).eval()
    load_weights(model, checkpoint)
    if not find_blocks(model):
        raise InputError('the checkpoint has no RepVGG block in training form')
    for dataset in inner_configs(cfg.test_dataloader.dataset):
        dataset.pop('indices', None)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    models = dict(training_form=model.to(device), fused=reparameterize_model(model).eval().to(device))
    collate = FUNCTIONS.get((cfg.test_dataloader.get('collate_fn') or dict(type='pseudo_collate'))['type'])
    inputs = model.data_preprocessor(collate([dataset[0]]))['inputs']
    calls: dict[str, Callable[[], object]] = {
        name: partial(form, inputs, mode='tensor') for name, form in models.items()
    }
    expected, found = (call() for call in calls.values())
    if not isinstance(expected, Tensor) or not isinstance(found, Tensor):
        raise InputError('the network returns no single tensor of logits')
    taken = sum(seconds(call, device) for call in calls.values())
    times = interleaved(calls, device, rounds=max(3, min(15, int(_SECONDS / taken))), warmup=0)
    comparison: dict[str, Any] = dict(
        device=f'{device_name(device)}, {torch.get_num_threads()} threads',
        size='{}x{}'.format(*inputs.shape[-2:]),
        relative_error=relative_error(found, expected),
        argmax_equal=(found.argmax(1) == expected.argmax(1)).double().mean().item(),
    )
    for name, form in models.items():
        comparison |= {
            f'ms_{name}': 1e3 * statistics.median(times[name]),
            f'mib_{name}': peak_memory(calls[name], device) / 2**20,
            f'params_{name}': sum(parameter.numel() for parameter in form.parameters()),
        }
    print_log(f'both forms compared on an image of {comparison["size"]}', 'current', logging.INFO)
    return comparison
