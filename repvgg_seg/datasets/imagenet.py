"""ImageNet, or anything in its layout, with the checks that save a night."""

import os
import os.path as osp
from pathlib import Path

from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS
from PIL import Image

from ..errors import InputError, listed

SUFFIXES = ('.jpeg', '.jpg', '.png', '.webp')
_LAYOUT = (
    'an ImageNet root holds train/<wnid>/*.JPEG and val/<wnid>/*.JPEG; where val/ is flat, name its list: '
    "ann_file='val.txt', with lines NAME CLASS"
)


@DATASETS.register_module()
class ImageNetDataset(BaseDataset):
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
                f'no folder {self.data_root}: {_LAYOUT}; '
                'set --cfg-options train_dataloader.dataset.data_root=DIR val_dataloader.dataset.data_root=DIR, or test_dataloader'
            )
        if not osp.isdir(folder):
            raise InputError(f'{self.data_root} has no {self.split}/ (it holds {_held(self.data_root)}): {_LAYOUT}')
        names, images = self._listed(folder) if self.ann_file else self._in_folders(folder)
        self._metainfo['classes'] = tuple(names)
        number = {name: i for i, name in enumerate(names)}
        return [dict(img_path=path, label=number[name]) for path, name in images]

    def _in_folders(self, folder: str):
        names = _folders(folder)
        if not names:
            raise InputError(f'{folder} holds no folders, one for each class ({_held(folder)}): {_LAYOUT}')
        if names == ['images']:
            raise InputError(
                f'{folder} holds its images in one folder, images/: set split to {self.split}/images and name their list, '
                f'such as ann_file={self.split}/val_annotations.txt'
            )
        images = []
        for name in names:
            paths = sorted(_images_below(osp.join(folder, name)))
            if not paths:
                raise InputError(
                    f'{osp.join(folder, name)} is an empty class: no {", ".join(SUFFIXES)} in it; '
                    'unpack its images there, or remove the folder'
                )
            images += [(path, name) for path in paths]
        known = self._known_classes() or names
        _check_known({name for _, name in images}, known, folder)
        return known, images

    def _listed(self, folder: str):
        if not osp.isfile(self.ann_file):
            raise InputError(f'no list {self.ann_file}: {_LAYOUT}')
        present = {osp.splitext(name)[0]: osp.join(folder, name) for name in os.listdir(folder)}
        images, missing = [], []
        for number, line in enumerate(Path(self.ann_file).read_text(encoding='utf-8').splitlines(), 1):
            words = line.replace(',', ' ').split()
            if not words or words[0] == 'ImageId':  # an empty line, Kaggle's heading
                continue
            if len(words) < 2:
                raise InputError(f'{self.ann_file}, line {number}: a line is NAME CLASS, got {line.strip()!r}')
            stem = osp.splitext(osp.basename(words[0]))[0]
            if stem in present:
                images.append((present[stem], words[1]))
            else:
                missing.append(words[0])
        if missing or not images:
            raise InputError(
                f'{self.ann_file} lists {len(missing)} images that {folder} does not hold: {listed(missing)}'
                if missing
                else f'{self.ann_file} lists no images: {_LAYOUT}'
            )
        found = {name for _, name in images}
        known = self._known_classes()
        numbers = [name for name in found if name.isdecimal()]
        if numbers and len(numbers) < len(found):
            raise InputError(
                f'{self.ann_file} holds classes as numbers and as names, {listed(found - set(numbers))}: one or the other'
            )
        if numbers:
            last = max(map(int, found))
            self._metainfo['classes_complete'] = known is not None
            known = known or [str(i) for i in range(last + 1)]
            if last >= len(known):
                raise InputError(f'{self.ann_file} holds class {last}; there are {len(known)}, counted from 0')
            return known, [(path, known[int(name)]) for path, name in images]
        known = known or sorted(found)
        _check_known(found, known, self.ann_file)
        return known, images

    def _known_classes(self) -> 'list[str] | None':
        if self.classes_from is None:
            return None
        path = osp.join(self.data_root, self.classes_from)
        if osp.isdir(path):
            return _folders(path)
        if not osp.isfile(path):
            raise InputError(f'classes: no file or folder {path}')
        return sorted(
            words[0] for line in Path(path).read_text(encoding='utf-8').splitlines() if (words := line.split())
        )

    def prepare_data(self, idx: int):
        try:
            return super().prepare_data(idx)
        except InputError:
            raise
        except Exception as error:
            path = self.get_data_info(idx)['img_path']
            fault = _fault_of(path)
            if fault:
                raise InputError(
                    f'cannot decode {path}: the file is damaged or no image; fetch it again ({fault})'
                ) from error
            raise


def _fault_of(path: str) -> str:
    """Why a file cannot be decoded; nothing where it can."""
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:
        return str(error)
    return ''


def _folders(path: str) -> list[str]:
    return sorted(entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith('.'))


def _held(path: str) -> str:
    return listed(sorted(os.listdir(path))) or 'nothing'


def _images_below(folder: str):
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith('.'):
                yield osp.join(parent, name)


def _check_known(found: set, known: list, where: str) -> None:
    unknown = sorted(found - set(known))
    if unknown:
        raise InputError(
            f'{where} holds classes that are not among the {len(known)} known ones: {listed(unknown)}; set `classes`'
        )
