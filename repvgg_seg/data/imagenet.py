"""ImageNet and other classification data sets in its layout."""

import os.path as osp
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS

from ..errors import InputError, listed
from .checked_pipeline import Checks, check_pipeline
from .image_lists import LAYOUT, folder_names, held, images_in_folders, images_in_list


@DATASETS.register_module()
class ImageNetDataset(BaseDataset):
    """Images with one class each, in a folder for each class, or in one flat folder with a list.

    The pipeline receives `dict(img_path, label)` for each item. Classes are numbered in the order of their sorted
    names, the usual numbering of ImageNet. `metainfo['classes']` holds the names. `metainfo['classes_complete']` is
    False where a list contains only numbers, so that there may be more classes than the highest number shows.

    Args:
        data_root: folder that holds `train/` and `val/`.
        split: folder in `data_root` that holds the images. Without `ann_file`, each folder in it is a class; images in
            deeper folders, such as Tiny-ImageNet's `<wnid>/images/`, belong to that class.
        ann_file: list for a flat folder, in `data_root`. Each line holds the name of an image and its class, separated
            by blanks, a tab or a comma; the class is a name such as n01440764 or a number, and the rest of the line is
            ignored (`val.txt`, `val_annotations.txt` of Tiny-ImageNet, `LOC_val_solution.csv` of Kaggle).
        classes: file or folder in `data_root` that names all classes, where the images or the list do not cover all of
            them. The first word of each line, or the name of each folder in it, is a class.
        kwargs: the other arguments of mmengine's `BaseDataset`.

    Raises:
        InputError: a folder or list does not exist, a class has no images, a listed image does not exist, or a class is
            unknown; when an item is read, a step of the pipeline fails.
    """

    def __init__(
        self, data_root: str, split: str = 'train', ann_file: str = '', classes: str | None = None, **kwargs: Any
    ) -> None:
        self.split = split
        self.classes_from = classes
        super().__init__(ann_file=ann_file, data_root=data_root, **kwargs)
        check_pipeline(self, Checks())

    def load_data_list(self) -> list[dict]:
        """`dict(img_path, label)` for each image."""
        folder = osp.join(self.data_root, self.split)
        if not osp.isdir(self.data_root):
            raise InputError(
                f'no folder {self.data_root}: {LAYOUT}; set data_root (train_dataloader.dataset.data_root in a config, '
                'and likewise for val_dataloader and test_dataloader)'
            )
        if not osp.isdir(folder):
            raise InputError(f'{self.data_root} has no {self.split}/ (it holds {held(self.data_root)}): {LAYOUT}')
        images = images_in_list(self.ann_file, folder) if self.ann_file else images_in_folders(folder)
        found, known = {name for _, name in images}, self._known_classes()
        if self.ann_file and all(name.isdecimal() for name in found):
            self._metainfo['classes_complete'] = known is not None
            known = known or [str(i) for i in range(max(map(int, found)) + 1)]
            number = {name: int(name) for name in found if int(name) < len(known)}
        else:
            known = known or sorted(found)
            number = {name: i for i, name in enumerate(known)}
        unknown = found - number.keys()
        if unknown:
            raise InputError(
                f'{self.ann_file or folder} holds classes that are not among the {len(known)} known ones '
                f'(numbers count from 0): {listed(sorted(unknown))}; set `classes`'
            )
        self._metainfo['classes'] = tuple(known)
        return [dict(img_path=path, label=number[name]) for path, name in images]

    def _known_classes(self) -> list[str] | None:
        """Return the sorted classes that the argument `classes` names, or None without it."""
        if self.classes_from is None:
            return None
        path = osp.join(self.data_root, self.classes_from)
        if osp.isdir(path):
            return folder_names(path)
        if not osp.isfile(path):
            raise InputError(f'classes: no file or folder {path}')
        lines = Path(path).read_text(encoding='utf-8').splitlines()
        return sorted(words[0] for words in map(str.split, lines) if words)
