"""The CamVid data set."""

from collections.abc import Sequence
from typing import Any

from mmseg.registry import DATASETS

from .checked_dataset import CheckedSegDataset


@DATASETS.register_module()
class CamVidDataset(CheckedSegDataset):
    """CamVid as the SegNet authors published it: 367, 101 and 233 images of 480x360 (width x height), 11 classes.

    `images/{train,val,test}` and `labels/{train,val,test}` hold files of the same names; the label 255 is ignored.

    Args:
        img_suffix: ending of the images' names, or several.
        seg_map_suffix: ending of the labels' names.
        kwargs: the other arguments of mmseg's `BaseSegDataset`.
    """

    METAINFO = dict(
        classes=(
            'Sky',
            'Building',
            'Pole',
            'Road',
            'Pavement',
            'Tree',
            'SignSymbol',
            'Fence',
            'Car',
            'Pedestrian',
            'Bicyclist',
        ),
        palette=[
            [128, 128, 128],
            [128, 0, 0],
            [192, 192, 128],
            [128, 64, 128],
            [60, 40, 222],
            [128, 128, 0],
            [192, 128, 128],
            [64, 64, 128],
            [64, 0, 128],
            [64, 64, 0],
            [0, 128, 192],
        ],
    )

    def how_to_get(self) -> str:
        """Where the files of CamVid go, for messages."""
        return (
            'put the images into data/camvid/images/{train,val,test} (*.webp, or set img_suffix) and labels with the '
            'values 0-10 and 255 into data/camvid/labels/{train,val,test} (*.png)'
        )

    def __init__(self, img_suffix: str | Sequence[str] = '.webp', seg_map_suffix: str = '.png', **kwargs: Any) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
