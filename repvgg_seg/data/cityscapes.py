"""The Cityscapes data set."""

from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from ..invocation import as_typed
from .checked_dataset import CheckedSegDataset


@DATASETS.register_module()
class CheckedCityscapesDataset(CheckedSegDataset, CityscapesDataset):
    """Cityscapes, or other images in its layout, with 19 classes and labels of trainIds."""

    def how_to_get(self) -> str:
        """What to download and how to prepare it, for messages."""
        return (
            'download leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip from https://www.cityscapes-dataset.com '
            f'into data/cityscapes, unpack both, then run {as_typed("prepare_cityscapes", "data/cityscapes")}'
        )
