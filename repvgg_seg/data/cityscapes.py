"""The Cityscapes data set."""

from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from .checked_dataset import CheckedSegDataset


@DATASETS.register_module()
class CheckedCityscapesDataset(CheckedSegDataset, CityscapesDataset):
    """Cityscapes, or other images in its layout, with 19 classes and labels of trainIds."""

    HOW_TO_GET = (
        'download leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip from https://www.cityscapes-dataset.com '
        'into data/cityscapes, unpack both, then run python tools/prepare_cityscapes.py data/cityscapes'
    )
