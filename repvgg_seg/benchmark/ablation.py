"""The rows of the paper's Tables 6 and 7: each kind of block trained, scored, and timed in both forms."""

import os
import re
import signal
import statistics
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmseg.models import BaseSegmentor
from mmseg.registry import DATASETS, MODELS

from ..errors import InputError
from ..invocation import command_line
from ..models import RepVGG, RepVGGClassifier, RepVGGResNet
from ..models.block import find_blocks
from ..models.block_variants import BLOCKS
from ..models.image_channels import image_channels
from ..optimize.options import Options
from ..reports.benchmark_table import Row
from ..reports.record import read_record, read_records
from ..training.config import load_config
from ..training.config.registered_class import find_class
from ..training.prepare import prepare_model
from ..training.resume_latest_whole_file import latest_checkpoint
from . import paper_tables
from .networks import build_segmentor, network_subjects
from .run import measure_all
from .subject import Subject
from .training_iterations import training_iteration

_SCORES = ('top1', 'mIoU')  # the metric that counts, of a classifier and of a segmentor
_NAME = re.compile(r'(\w+)_seed_(\d+)')


def block_option(cfg: Config) -> str:
    """The dotted key of a config under which the kind of block stands.

    Raises:
        InputError: neither the model nor its backbone has such an argument.
    """
    scope = cfg.get('default_scope') or 'mmseg'
    for path, part in (('model', cfg.model), ('model.backbone', cfg.model.get('backbone'))):
        cls = (
            find_class(part['type'], f'{path}.type', MODELS, scope)
            if isinstance(part, dict) and 'type' in part
            else None
        )
        if isinstance(cls, type) and issubclass(cls, (RepVGG, RepVGGClassifier, RepVGGResNet)):
            return f'{path}.block'
    raise InputError(
        'the config has no RepVGG, RepVGGClassifier or RepVGGResNet, whose blocks could be of another kind'
    )


@dataclass
class Ablation:
    """Runs of one config with several kinds of block and several seeds.

    Args:
        config: as the command line names it.
        options: further `--cfg-options` of every run, by their keys.
        folder: where the runs and their scores go, each run to `ROW_seed_SEED`.
    """

    config: str
    options: Mapping[str, str]
    folder: Path
    _processes: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def __post_init__(self) -> None:
        self.key = block_option(load_config(self.config, dict(self.options)))

    def load(self, row: str) -> Config:
        """The config of a row, ready to build models from."""
        cfg = load_config(self.config, {**self.options, self.key: row})
        prepare_model(cfg)
        return cfg

    def check(self, rows: Sequence[str]) -> None:
        """Build the model of every row, without memory, so that what cannot be built is told before anything is trained.

        Raises:
            InputError: the config of a row is wrong.
        """
        for row in rows:
            with torch.device('meta'):
                MODELS.build({**self.load(row).model, 'data_preprocessor': None})

    def run(self, rows: Sequence[str], seeds: Sequence[int], jobs: int = 1) -> Iterator[str]:
        """Train and score what has no score yet; a run that was broken off goes on from its last checkpoint.

        Args:
            rows: names in `BLOCKS`.
            seeds: of each row.
            jobs: how many runs go on at a time.

        Yields:
            A line for every run that has a score, as soon as it has.

        Raises:
            InputError: a run failed; those that go on beside it are stopped, and can be resumed.
        """
        with ThreadPoolExecutor(jobs) as executor:
            futures = [executor.submit(self._train_and_score, row, seed) for seed in seeds for row in rows]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise

    def _train_and_score(self, row: str, seed: int) -> str:
        name = f'{row}_seed_{seed}'
        result, work_dir = self.folder / f'{name}.json', self.folder / name
        known = read_record(result)
        if known is None:
            options = [
                f'{key}={value}' for key, value in {**self.options, self.key: row, 'randomness.seed': seed}.items()
            ]
            self._call(name, 'train', self.config, '--work-dir', work_dir, '--resume', '--cfg-options', *options)
            checkpoint = latest_checkpoint(str(work_dir), str(work_dir))
            if checkpoint is None:
                raise InputError(f'{name}: the training has left no checkpoint in {work_dir}; see {self._log(name)}')
            self._call(
                name, 'test', self.config, checkpoint, '--result', result, '--work-dir', work_dir, '--cfg-options', *options
            )  # fmt: skip
            known = read_record(result)
        metric, score = _score(known, result)
        return f'{name}: {metric} {score:.2f}'

    def _log(self, name: str) -> Path:
        return self.folder / f'{name}.log'

    def _call(self, name: str, tool: str, *arguments: object) -> None:
        """Run a tool in a process of its own, whose output goes to the log of the run."""
        words = [*command_line(tool)[0], *map(str, arguments)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self._log(name), 'ab') as log:
            with self._lock:
                if self._stopped:
                    raise InputError(f'{name}: not started, since the command ends')
                process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ))
                self._processes.add(process)
            status = process.wait()
        with self._lock:
            self._processes.discard(process)
        if status:
            lines = self._log(name).read_text(encoding='utf-8', errors='replace').splitlines()
            said = [line for line in lines if line.startswith('error: ')] or lines or ['it said nothing']
            raise InputError(
                f'{name}: {tool} ended with status {status}: {said[-1].removeprefix("error: ")}; its output is in '
                f'{self._log(name)}, and the same command goes on from here'
            )

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.send_signal(signal.SIGTERM)  # the training saves a checkpoint first

    def rows(self) -> list[Row]:
        """A row for every kind of block that has a score in the folder, in the order of `BLOCKS`."""
        scores: dict[str, dict[str, float]] = {}
        metric = ''
        for path, record in read_records(self.folder, '*_seed_*.json').items():
            match = _NAME.fullmatch(path.stem)
            if match and match[1] in BLOCKS:
                metric, scores.setdefault(match[1], {})[match[2]] = _score(record, path)
        return [_row(row, metric, scores[row], self._paper(row)) for row in BLOCKS if row in scores]

    def _paper(self, row: str) -> float | None:
        """The top-1 accuracy of the paper, where the config is one of its networks on ImageNet."""
        name = Path(self.config).stem
        table = paper_tables.RESNET_50_BLOCKS if name.startswith('resnet50_') else paper_tables.BLOCKS
        return (
            table.get(row) if name.endswith('_120e') and name.startswith(('resnet50_', 'b0_', 'repvgg_b0_')) else None
        )

    def speed(
        self,
        rows: Sequence[str],
        device: torch.device,
        batch: int,
        rounds: int,
        warmup: int,
        size: tuple[int, int] | None,
    ) -> list[Row]:
        """Time an iteration of training, and inference in both forms, of every row, all in one interleaved run.

        Args:
            rows: names in `BLOCKS`.
            device: where they compute.
            batch: images at a time.
            rounds, warmup: timed and untimed calls of each.
            size: (height, width) of the images in pixels; that of the first image of the validation by default.
        """
        subjects: list[Subject] = []
        for row in rows:
            cfg = self.load(row)
            size = size or _image_size(cfg)
            subjects += _subjects(row, cfg, (batch, *size), device)
        return measure_all(subjects, device, rounds, warmup)


def _subjects(row: str, cfg: Config, shape: tuple[int, int, int], device: torch.device) -> Iterator[Subject]:
    batch, height, width = shape
    model = build_segmentor(cfg).to(device)
    options = Options((batch, image_channels(model), height, width))
    mode = 'tensor' if isinstance(model, BaseSegmentor) else None
    forms = ['training'] if find_blocks(model)[0].part_not_fusible() else ['training', 'fused']
    yield from network_subjects(row, model, forms, options, mode)
    model = build_segmentor(cfg).to(device).train()
    iteration = training_iteration(model, options.input_shape, device)
    yield Subject(row, 'iteration', iteration, batch, model, size=(height, width))


def _image_size(cfg: Config) -> tuple[int, int]:
    height, width = DATASETS.build(cfg.val_dataloader.dataset)[0]['inputs'].shape[-2:]
    return height, width


def _score(record: Mapping[str, Any] | None, path: Path) -> tuple[str, float]:
    metrics = (record or {}).get('metrics') or {}
    for name in _SCORES:
        if name in metrics:
            return name, float(metrics[name])
    raise InputError(
        f'{path} holds no {" and no ".join(_SCORES)}: remove it, and the same command scores this run anew'
    )


def _row(row: str, metric: str, scores: Mapping[str, float], paper: float | None) -> Row:
    values = list(scores.values())
    figures: Row = dict(name=row, metric=metric, seeds=len(values), scores=dict(scores), mean=statistics.mean(values))
    if len(values) > 1:
        figures['spread'] = statistics.stdev(values)
    if paper is not None:
        figures['top1'] = paper
    return figures


def with_speed(rows: Sequence[Row], timed: Sequence[Row]) -> list[Row]:
    """The rows with what `Ablation.speed` has measured of each."""
    by_form = {(row['name'], row['form']): row for row in timed}
    found = []
    for row in rows:
        figures = dict(row)
        for form in ('iteration', 'training', 'fused'):
            of_form = by_form.get((row['name'], form), {})
            figures.update(
                {f'{form}_{name}': of_form[name] for name in ('examples_per_s', 'params_m') if name in of_form}
            )
        if 'training_examples_per_s' in figures and 'fused_examples_per_s' in figures:
            figures['fused_over_training'] = figures['fused_examples_per_s'] / figures['training_examples_per_s']
        found.append(figures)
    return found
