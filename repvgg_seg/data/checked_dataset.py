"""The base class of the segmentation data sets: checks that folders, images and labels exist before training starts."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..errors import InputError, listed
from ..invocation import as_typed, config_name
from .checked_pipeline import Checks, check_pipeline
from .class_names import fault_of_classes
from .image_list_file import read_list
from .label_checks import ignored_labels
from .skip_list import full_path, read_skip_list

_FILES = ('img_path', 'seg_map_path')


def _try_synthetic() -> str:
    """The commands that make synthetic scenes and train on them, for messages."""
    scenes = as_typed('make_synthetic_scenes', 'data/synthetic')
    return f'to try now without it: {scenes}, then {as_typed("train", config_name("pspnet_repvgg_a0_synthetic"))}'


@DATASETS.register_module()
class CheckedSegDataset(BaseSegDataset):
    """A data set of mmseg that refuses incomplete data and says which folder, label or image is at fault.

    The values of the labels are checked when they are loaded, by `CheckAnnotations` in `label_checks.py`, which needs
    the `num_classes` and `ignored_labels` that this class puts into every item.

    Args:
        img_suffix: ending of the images' names, or several, such as ('.png', '.PNG'); that of mmseg's class by default.
        metainfo: classes and palette, or the classes alone that are wanted; those of the class by default.
        skip_list: a file that names images to leave out, such as tools/check_dataset.py writes; below `data_root` or not.
        refuse_missing: whether a missing label or listed image is an error.
        kwargs: the other arguments of mmseg's `BaseSegDataset`.

    Raises:
        InputError: a folder does not exist or holds no images, images have no labels, or there are no classes; when an
            item is read, a step of the pipeline fails.
    """

    def __init__(
        self,
        img_suffix: str | Sequence[str] | None = None,
        metainfo: dict[str, Any] | None = None,
        skip_list: str | None = None,
        refuse_missing: bool = True,
        **kwargs: Any,
    ) -> None:
        self.skip_list, self.refuse_missing = skip_list, refuse_missing
        self.left_out: list[str] = getattr(self, 'left_out', [])
        self.img_suffixes = (img_suffix,) if isinstance(img_suffix, str) else tuple(img_suffix or ())
        if fault := fault_of_classes(type(self), metainfo):
            raise InputError(fault)
        first = dict(img_suffix=self.img_suffixes[0]) if self.img_suffixes else {}
        super().__init__(metainfo=metainfo, **first, **kwargs)
        # Outside our tools, CheckAnnotations says whether labels are checked.
        check_pipeline(self, Checks(labels=False))

    def how_to_get(self) -> str:
        """What to download and how to prepare it, for messages."""
        return 'check data_root and data_prefix'

    def load_data_list(self) -> list[dict]:
        """One dict for each image, with the number of classes and what is ignored in it."""
        folders = [self.data_prefix.get(name) for name in _FILES]
        for folder in folders:
            if folder and not osp.isdir(folder):
                raise InputError(f'no folder {folder}: {self.how_to_get()}; {_try_synthetic()}')
        self.img_suffixes = self.img_suffixes or (self.img_suffix,)
        data_list = self._find_items()
        if not data_list:
            named = ', '.join(f'*{suffix}' for suffix in self.img_suffixes)
            raise InputError(f'no {named} in {folders[0]}: {self.how_to_get()}; {_try_synthetic()}')
        if self.skip_list:
            data_list = self._without_skipped(data_list, self.skip_list)
        labels = [info['seg_map_path'] for info in data_list if 'seg_map_path' in info]
        missing = [path for path in labels if not osp.isfile(path)]
        if missing and self.refuse_missing:
            raise InputError(
                f'{len(missing)} of {len(data_list)} images have no label, such as {missing[0]}: {self.how_to_get()}'
            )
        for info in data_list:
            info['num_classes'] = len(self.metainfo['classes'])
            info['ignored_labels'] = ignored_labels(self)
        return data_list

    def _find_items(self) -> list[dict]:
        """One dict for each image, of the list or of the folder."""
        return self._listed_images() if self.ann_file else self._images_in_folder()

    def _without_skipped(self, data_list: list[dict], path: str) -> list[dict]:
        """The items whose images a list of images to skip does not name."""
        root = self.data_root or ''
        below = osp.join(root, path)
        skipped = read_skip_list(below if osp.isfile(below) else path, root)
        kept = [info for info in data_list if full_path(info['img_path']) not in skipped]
        if number := len(data_list) - len(kept):
            self.left_out.append(f'{number} images of {path}')
        if not kept:
            raise InputError(f'{path} (skip_list) names all {len(data_list)} images, so that none is left')
        return kept

    def _images_in_folder(self) -> list[dict]:
        """What mmseg finds in the folder, for each ending in turn, in the order of the names."""
        found: list[dict] = []
        for suffix in self.img_suffixes:
            self.img_suffix = suffix  # mmseg cuts names by it
            found += super().load_data_list()
        self.img_suffix = self.img_suffixes[0]
        return sorted(found, key=lambda info: str(info['img_path']))

    def _listed_images(self) -> list[dict]:
        """What mmseg makes of a list of names, with the ending that each image has.

        Raises:
            InputError: the list names nothing, or an image that does not exist.
        """
        images, labels = (self.data_prefix.get(name) for name in _FILES)
        data_list, missing = [], []
        for name in read_list(self.ann_file, self.img_suffixes):
            paths = [osp.join(images or '', name + suffix) for suffix in self.img_suffixes]
            path = next(filter(osp.isfile, paths), None)
            if path is None:
                missing.append(paths[0])
                continue
            info = dict(
                img_path=path, label_map=self.label_map, reduce_zero_label=self.reduce_zero_label, seg_fields=[]
            )
            if labels is not None:
                info['seg_map_path'] = osp.join(labels, name + self.seg_map_suffix)
            data_list.append(info)
        if missing and (self.refuse_missing or not data_list):
            raise InputError(
                f'{self.ann_file} lists {len(missing)} images that do not exist: no such file: {listed(missing)}'
                + ('' if data_list else '; a line holds one name below data_prefix.img_path, and nothing else')
            )
        return data_list
