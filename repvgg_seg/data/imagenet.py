"""ImageNet, or anything in its layout, with the checks that save a night."""

import os.path as osp
from pathlib import Path

from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS

from ..errors import InputError, listed
from .damaged_files import NamesDamagedFiles
from .image_lists import LAYOUT, folder_names, held, images_in_folders, images_in_list


@DATASETS.register_module()
class ImageNetDataset(NamesDamagedFiles, BaseDataset):
    """Images of classes: a folder for each class, or one flat folder and a list.

    Each item is what the pipeline makes of `dict(img_path, label)`. Classes are numbered in the order of their sorted
    names, as everyone numbers ImageNet's. `metainfo['classes']` holds the names; `metainfo['classes_complete']` is False where
    a list gave numbers only and there may be more classes than the highest of them.

    Args:
        data_root: folder with `train/` and `val/`.
        split: folder of the images in it. Without `ann_file` each folder in it is a class (what lies deeper counts
            too, such as Tiny-ImageNet's `<wnid>/images/`).
        ann_file: list of a flat folder, under `data_root`: a line an image, its name and then its class, a name such as n01440764
            or a number, separated by blanks, a tab or a comma (`val.txt`, `val_annotations.txt` of
            Tiny-ImageNet, `LOC_val_solution.csv` of Kaggle). What follows is ignored.
        classes: file under `data_root`, or folder of classes there, that names the classes where a list does not hold all
            of them: the first word of each line, or the name of each folder.
        kwargs: mmengine's `BaseDataset`'s.

    Raises:
        InputError: no such folder or list; a class without images; an image that is listed and not there; a class
            that is not known. On access, a file that is no image.
    """

    def __init__(
        self, data_root: str, split: str = 'train', ann_file: str = '', classes: 'str | None' = None, **kwargs
    ):
        self.split = split
        self.classes_from = classes
        super().__init__(ann_file=ann_file, data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        folder = osp.join(self.data_root, self.split)
        if not osp.isdir(self.data_root):
            raise InputError(
                f'no folder {self.data_root}: {LAYOUT}; '
                'set --cfg-options train_dataloader.dataset.data_root=DIR val_dataloader.dataset.data_root=DIR, or test_dataloader'
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
                f'{self.ann_file or folder} holds classes that are not among the {len(known)} known ones (numbers count '
                f'from 0): {listed(sorted(unknown))}; set `classes`'
            )
        self._metainfo['classes'] = tuple(known)
        return [dict(img_path=path, label=number[name]) for path, name in images]

    def _known_classes(self) -> 'list[str] | None':
        if self.classes_from is None:
            return None
        path = osp.join(self.data_root, self.classes_from)
        if osp.isdir(path):
            return folder_names(path)
        if not osp.isfile(path):
            raise InputError(f'classes: no file or folder {path}')
        lines = Path(path).read_text(encoding='utf-8').splitlines()
        return sorted(words[0] for words in map(str.split, lines) if words)
