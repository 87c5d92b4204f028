"""The base class of the segmentation data sets: checks that folders, images and labels exist before training starts."""

import os.path as osp

from mmseg.datasets import BaseSegDataset

from ..errors import InputError
from ..invocation import as_typed, config_name
from .damaged_files import NamesDamagedFiles


def _try_synthetic() -> str:
    """The commands that make synthetic scenes and train on them, for messages."""
    scenes = as_typed('make_synthetic_scenes', 'data/synthetic')
    return f'to try now without it: {scenes}, then {as_typed("train", config_name("pspnet_repvgg_a0_synthetic"))}'


class CheckedSegDataset(NamesDamagedFiles, BaseSegDataset):
    """A data set of mmseg that refuses incomplete data and says which folder, label or image is at fault.

    The values of the labels are checked when they are loaded, by `CheckAnnotations` in `label_checks.py`, which needs
    the `num_classes` that this class puts into every item.

    Raises:
        InputError: a folder does not exist or holds no images, or images have no labels; when an item is read, a file
            cannot be decoded.
    """

    FILES = ('img_path', 'seg_map_path')

    def how_to_get(self) -> str:
        """What to download and how to prepare it, for messages."""
        return 'check data_root and data_prefix'

    def load_data_list(self) -> list[dict]:
        """One dict for each image, with the number of classes in it."""
        folders = [self.data_prefix.get(name) for name in self.FILES]
        for folder in folders:
            if folder and not osp.isdir(folder):
                raise InputError(f'no folder {folder}: {self.how_to_get()}; {_try_synthetic()}')
        data_list = super().load_data_list()
        if not data_list:
            raise InputError(f'no *{self.img_suffix} in {folders[0]}: {self.how_to_get()}; {_try_synthetic()}')
        labels = [info['seg_map_path'] for info in data_list if 'seg_map_path' in info]
        missing = [path for path in labels if not osp.isfile(path)]
        if missing:
            raise InputError(
                f'{len(missing)} of {len(data_list)} images have no label, such as {missing[0]}: {self.how_to_get()}'
            )
        for info in data_list:
            info['num_classes'] = len(self.metainfo['classes'])
        return data_list
