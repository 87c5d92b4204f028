"""Writes predictions as label PNGs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from PIL import Image

from ..data.wrapped_datasets import inner_datasets
from ..errors import InputError, listed
from ..files import named_errors
from .label_ids import label_numbers, official_ids
from .prediction_names import PredictionNames


@HOOKS.register_module()
class WriteLabelsHook(Hook):
    """Write the prediction of every test image as a PNG, named by `PredictionNames`, with the numbers of its own data set.

    Args:
        folder: where the files go.
        official: write the official label ids for Cityscapes and its subclasses, which its server wants.
    """

    def __init__(self, folder: str, official: bool = True) -> None:
        self.folder = Path(folder)
        self.official = official
        self._names: PredictionNames

    def before_test(self, runner: Runner) -> None:
        """Find names for all images.

        Raises:
            InputError: a file stands in two data sets that want different numbers for its prediction.
        """
        dataset = runner.test_dataloader.dataset
        self._names = PredictionNames(dataset)
        for path, *owners in self._names.listed_twice:
            first, second = (str(official_ids(owner)) if self.official else '' for owner in owners)
            if first != second:
                raise InputError(
                    f'{path} stands in two data sets, of which only one is Cityscapes with its official label ids: test '
                    'one after the other'
                )
        kinds = {_kind(part, self.official) for part in inner_datasets(dataset)}
        print_log(f'predictions go into {self.folder} as label PNGs: {listed(sorted(kinds))}', 'current')

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Sequence[Any]) -> None:
        """Write the predictions of a batch."""
        for sample in outputs:
            image = self._names.of(image_path(sample))
            labels = label_numbers(sample.pred_sem_seg.cpu().numpy().data[0], image.dataset, self.official)
            with named_errors(self.folder / f'{image.name}.png') as path:
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(labels).save(path)


def image_path(sample: Any) -> str:
    """The path of the image that was predicted.

    Raises:
        InputError: the pipeline has not handed it on.
    """
    if 'img_path' not in sample.metainfo:
        raise InputError('predictions are named by their images: keep img_path in the meta_keys of PackSegInputs')
    return str(sample.img_path)


def _kind(dataset: Any, official: bool) -> str:
    """What the numbers in the files are, for the log."""
    if official and official_ids(dataset) is not None:
        return 'official Cityscapes ids'
    first = int(bool(getattr(dataset, 'reduce_zero_label', False)))
    return f'class numbers from {first}'
