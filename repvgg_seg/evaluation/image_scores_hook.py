"""The confusion matrix of a test, the score of every image, and pictures of the best and the worst of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import dist
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from PIL import Image
from torch import Tensor

from ..files import named_errors
from .draw_predictions_hook import load_photograph
from .fast_drawing import colour_map
from .prediction_names import PredictionNames
from .write_labels_hook import image_path

INDEX = 'examples.json'  # lists the pictures in their folder
PARTS = ('photograph', 'label', 'prediction')
_LONG_SIDE = 960  # pixels of a picture


@dataclass
class _Example:
    """A scored image and its three pictures, (H, W, 3) uint8, RGB."""

    name: str
    score: float
    pictures: tuple[np.ndarray, ...]


@HOOKS.register_module()
class ImageScoresHook(Hook):
    """Count a confusion matrix over a test, and score every image, whatever metric the test has.

    Args:
        folder: where the pictures of examples go, with their list `examples.json`; None to keep none.
        examples: how many of the best, and how many of the worst images are kept.

    Attributes:
        confusion: pixels by label (row) and prediction (column), (classes, classes); ignored pixels are left out.
            None before a test, and where no image has a label.
        scores: mIoU in percent of each image by its name: the mean over the classes in its label or its prediction.
    """

    priority = 'LOWEST'

    def __init__(self, folder: str | None = None, examples: int = 3) -> None:
        self.folder = Path(folder) if folder else None
        self.examples = examples
        self.confusion: list[list[int]] | None = None
        self.scores: dict[str, float] = {}
        self._counts: Tensor
        self._kept: list[_Example] = []
        self._names: PredictionNames
        self._meta: dict[str, Any]
        self._ignored: int

    def before_test(self, runner: Runner) -> None:
        """Begin anew."""
        dataset = runner.test_dataloader.dataset
        self._names = PredictionNames(dataset)
        self._meta = getattr(dataset, 'metainfo', None) or {}
        classes = len(self._meta.get('classes') or ())
        self._counts = torch.zeros(classes, classes, dtype=torch.int64)
        self._ignored = next(
            (metric.ignore_index for metric in runner.test_evaluator.metrics if hasattr(metric, 'ignore_index')), 255
        )
        self.confusion, self.scores, self._kept = None, {}, []

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence[Any] | None = None
    ) -> None:
        """Score the images of a batch."""
        for sample in outputs or ():
            if 'gt_sem_seg' in sample and 'pred_sem_seg' in sample and len(self._counts):
                self._score(sample)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Put the results of all processes together, and write the pictures."""
        parts = dist.all_gather_object((self._counts, self.scores, self._kept))
        self.scores = {name: score for _, scores, _ in parts for name, score in scores.items()}
        counts = sum(counts for counts, _, _ in parts)
        self.confusion = counts.tolist() if self.scores else None
        self._kept = self._extremes([example for _, _, kept in parts for example in kept])
        if self.folder and dist.is_main_process():
            self._write(self.folder)

    def _score(self, sample: Any) -> None:
        predicted = sample.pred_sem_seg.data.squeeze(0)
        label = sample.gt_sem_seg.data.squeeze(0).to(predicted.device)
        counts = confusion_counts(predicted, label, len(self._counts), self._ignored).cpu()
        score = mean_iou(counts)
        if score is None:
            return
        self._counts += counts
        path = image_path(sample)
        image = self._names.of(path)
        name = image.name.as_posix()
        self.scores[name] = round(score, 2)
        if self.folder and self._is_extreme(score):
            photograph = load_photograph(path, getattr(image.dataset, 'backend_args', None), predicted.shape)
            colours = [self._coloured(labels) for labels in (label, predicted)]
            pictures = tuple(map(_reduced, (photograph, *colours)))
            self._kept = self._extremes([*self._kept, _Example(name, score, pictures)])

    def _is_extreme(self, score: float) -> bool:
        if len(self._kept) < 2 * self.examples:
            return True
        scores = [example.score for example in self._kept]
        return score < sorted(scores)[self.examples - 1] or score > sorted(scores)[-self.examples]

    def _extremes(self, kept: list[_Example]) -> list[_Example]:
        """The worst and the best of some examples, each once, the worst first."""
        kept = sorted({example.name: example for example in kept}.values(), key=lambda example: example.score)
        return kept if len(kept) <= 2 * self.examples else kept[: self.examples] + kept[-self.examples :]

    def _coloured(self, labels: Tensor) -> np.ndarray:
        """The colours of labels (H, W); black where they are no class."""
        classes = len(self._counts)
        palette = list(self._meta.get('palette') or ())[:classes] or [(0, 0, 0)]
        numbers = labels.cpu().numpy()
        known = (numbers >= 0) & (numbers < classes) & (numbers != self._ignored)
        return colour_map(np.where(known, numbers, classes), palette)

    def _legend(self) -> dict[str, Any]:
        classes, colours = list(self._meta['classes']), self._meta.get('palette') or ()
        return dict(classes=classes, palette=[list(map(int, colour)) for colour in colours][: len(classes)])

    def _write(self, folder: Path) -> None:
        """Write three pictures of each example, and their list."""
        listed = []
        worst = (len(self._kept) + 1) // 2
        for number, example in enumerate(self._kept):
            entry: dict[str, Any] = dict(
                kind='worst' if number < worst else 'best', name=example.name, mIoU=round(example.score, 2)
            )
            for part, picture in zip(PARTS, example.pictures, strict=True):
                entry[part] = f'{number}_{part}.{"jpg" if part == "photograph" else "png"}'
                with named_errors(folder / entry[part]) as path:
                    Image.fromarray(picture).save(path)
            listed.append(entry)
        with named_errors(folder / INDEX) as path:
            path.write_text(json.dumps(dict(self._legend(), examples=listed), indent=2) + '\n', encoding='utf-8')
        print_log(f'pictures of the worst and the best images are in {folder}', 'current')


def confusion_counts(predicted: Tensor, label: Tensor, classes: int, ignored: int) -> Tensor:
    """Pixels by label (row) and prediction (column), (classes, classes) int64.

    Args:
        predicted: class numbers, of any shape.
        label: class numbers, of the same shape; pixels whose label is `ignored` or no class are left out.
        classes: their number.
        ignored: the label of pixels that do not count.
    """
    predicted, label = predicted.flatten().long(), label.flatten().long()
    counted = (label != ignored) & (label >= 0) & (label < classes) & (predicted >= 0) & (predicted < classes)
    pairs = label[counted] * classes + predicted[counted]
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def mean_iou(counts: Tensor) -> float | None:
    """The mean IoU in percent over the classes that occur in label or prediction; None where no pixel counts.

    Args:
        counts: of `confusion_counts`.
    """
    both = counts.diagonal().double()
    either = counts.sum(0) + counts.sum(1) - both
    return (both / either)[either > 0].mean().item() * 100 if either.any() else None


def _reduced(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) whose long side is no longer than wanted; every pixel is one of the given."""
    step = -(-max(picture.shape[:2]) // _LONG_SIDE)
    return np.ascontiguousarray(picture[::step, ::step])
