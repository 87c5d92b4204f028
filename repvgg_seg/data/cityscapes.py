"""Street scenes for mmseg, with the checks that save a night: what is missing, and what to do about it."""

import os.path as osp

from mmseg.datasets import BaseSegDataset, CityscapesDataset
from mmseg.registry import DATASETS

from ..errors import InputError
from .damaged_files import NamesDamagedFiles

_SYNTHETIC = (
    'to try now without it: python tools/make_synthetic_scenes.py data/synthetic, then '
    'python tools/train.py configs/pspnet_repvgg_a0_synthetic.py'
)


class CheckedSegDataset(NamesDamagedFiles, BaseSegDataset):
    """A data set of mmseg that says which folder, label or image is at fault.

    Raises:
        InputError: no such folder, no images in it, images without labels; on access, a file that cannot be decoded.
    """

    FILES = ('img_path', 'seg_map_path')
    HOW_TO_GET = ''  # what to download and how to prepare it

    def load_data_list(self) -> list[dict]:
        folders = [self.data_prefix.get(name) for name in ('img_path', 'seg_map_path')]
        for folder in folders:
            if folder and not osp.isdir(folder):
                raise InputError(f'no folder {folder}: {self.HOW_TO_GET}; {_SYNTHETIC}')
        data_list = super().load_data_list()
        if not data_list:
            raise InputError(f'no *{self.img_suffix} in {folders[0]}: {self.HOW_TO_GET}; {_SYNTHETIC}')
        unlabelled = [info['seg_map_path'] for info in data_list if not osp.isfile(info.get('seg_map_path', __file__))]
        if unlabelled:
            raise InputError(
                f'{len(unlabelled)} of {len(data_list)} images have no label, such as {unlabelled[0]}: {self.HOW_TO_GET}'
            )
        for info in data_list:
            info['num_classes'] = len(self.metainfo['classes'])
        return data_list


@DATASETS.register_module()
class CheckedCityscapesDataset(CheckedSegDataset, CityscapesDataset):
    """Cityscapes, or scenes in its layout: 19 classes, labels as trainIds."""

    HOW_TO_GET = (
        'download leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip from https://www.cityscapes-dataset.com '
        'into data/cityscapes, unpack both, then run python tools/prepare_cityscapes.py data/cityscapes'
    )


@DATASETS.register_module()
class CamVidDataset(CheckedSegDataset):
    """CamVid in the split that the SegNet authors published: 367, 101 and 233 images of 480x360, 11 classes.

    `images/{train,val,test}` and `labels/{train,val,test}` hold files of the same names; 255 is ignored.
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
    HOW_TO_GET = (
        'put the images into data/camvid/images/{train,val,test} (*.webp, or set img_suffix) and labels with the values '
        '0-10 and 255 into data/camvid/labels/{train,val,test} (*.png)'
    )

    def __init__(self, img_suffix='.webp', seg_map_suffix='.png', **kwargs):
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
