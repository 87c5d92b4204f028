"""A data set of images and masks in a user's own folders."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from ..errors import InputError, listed
from ..invocation import as_typed
from .checked_dataset import CheckedSegDataset
from .class_file import ClassTable, class_table, find_class_file, read_class_file
from .image_lists import folder_names
from .infer_classes import holds_binary_masks, inferred_classes, palette_in
from .load_masks import with_masks
from .mask_form import form_of
from .pair_masks import IMAGE_ENDINGS, Pairs, find_pairs
from .split_folder import SHARES, Place, find_place, names_in_list, take_share


@DATASETS.register_module()
class FolderDataset(CheckedSegDataset):
    """Images and masks in two folders, or in one, as annotation tools write them.

    The masks may hold class numbers, other numbers, colours, a palette, or 0 and 255. Every `LoadAnnotations` of the pipeline is
    replaced by `LoadMasks`, which makes class numbers of them. docs/own_data.md describes it with examples.

    Args:
        data_root: folder of the data set.
        split: train, val, test or a name of your own: folders `images/train` and `masks/train` or `train/images` and
            `train/masks`, a list `train.txt`, or a share of all images; None for all.
        classes: names; a dict of names to colours or numbers in the masks; or a file that holds them, below `data_root` or
            not. None to take a file that annotation tools write, such as classes.txt or labelmap.txt, or else what the masks hold.
        masks: what the masks hold: 'numbers', 'colours', 'binary' or 'auto'.
        ignored: numbers and colours in the masks that mean ignored, beside 255.
        others: what is done with numbers and colours that are no class: 'refuse', 'ignored' or 'nearest'.
        shares: of train, val and test, where neither folders nor lists tell: dict(train=0.8, val=0.2) by default.
        data_prefix: folders of the images (`img_path`) and of the masks (`seg_map_path`, None for none).
        img_suffix: ending of the images' names, or several; any by default.
        seg_map_suffix: what follows an image's name, without its ending, in that of its mask; found by default.
        metainfo: classes and palette, in place of `classes`.
        pipeline: as a config has it.
        kwargs: the other arguments of `CheckedSegDataset`.

    Raises:
        InputError: folders, masks or classes cannot be found, or an argument has no meaning.

    Attributes:
        finds_files_itself: whether `left_out` says which files are left out.
        classes_inferred: whether the classes are those that the masks hold.
    """

    finds_files_itself = True
    classes_inferred = False

    def __init__(
        self,
        data_root: str = '',
        split: str | None = None,
        classes: Any = None,
        masks: str = 'auto',
        ignored: Any = (),
        others: str = 'refuse',
        shares: Mapping[str, float] | None = None,
        data_prefix: Mapping[str, str | None] | None = None,
        img_suffix: str | Sequence[str] | None = None,
        seg_map_suffix: str = '',
        metainfo: dict[str, Any] | None = None,
        pipeline: Sequence[Any] = (),
        ann_file: str = '',
        ignore_index: int = 255,
        reduce_zero_label: bool = False,
        **kwargs: Any,
    ) -> None:
        prefix = dict(img_path='images', seg_map_path='masks') if data_prefix is None else dict(data_prefix)
        self.left_out: list[str] = []
        self._endings = tuple([img_suffix] if isinstance(img_suffix, str) else img_suffix or ())
        place = self._find_place(data_root, prefix, split, shares, ann_file)
        self._pairs, self._names = self._find_images(
            place, seg_map_suffix, shares, data_root, kwargs.get('refuse_missing', True)
        )
        paths = [self._pairs.masks[name] for name in self._pairs.images if name in self._pairs.masks]
        table = self._find_classes(classes, metainfo, data_root, paths)
        unsaid = masks == 'auto' and not reduce_zero_label and not ignored
        plain = len(table.names) == 2 and table.colours is None and table.numbers is None
        if unsaid and plain and holds_binary_masks(paths):
            masks = 'binary'
            self._say("the masks hold 0 and 255 alone: 255 is the second class (masks='numbers' makes it ignored)")
        self.form = form = form_of(table, masks, ignored or (), others, ignore_index, reduce_zero_label)
        given = (metainfo or {}).get('palette')
        palette = given or table.colours or palette_in(paths, len(table.names))
        super().__init__(
            data_root=data_root,
            data_prefix=dict(img_path=place.images, seg_map_path=place.masks),
            img_suffix=self._endings or _endings_of(self._names),
            seg_map_suffix=seg_map_suffix,
            metainfo=dict(metainfo or {}, classes=list(table.names), palette=[list(colour) for colour in palette]),
            pipeline=with_masks(pipeline, form),
            ignore_index=ignore_index,
            reduce_zero_label=reduce_zero_label,
            **kwargs,
        )

    def how_to_get(self) -> str:
        """What the folders hold, for messages."""
        return (
            'check data_root, data_prefix and seg_map_suffix, or leave images out by a skip_list, which '
            f'{as_typed("check_dataset")} writes'
        )

    def _join_prefix(self) -> None:
        """The folders of the split are joined with `data_root` already."""

    def _say(self, message: str) -> None:
        print_log(f'{type(self).__name__}: {message}', 'current')

    def _find_place(
        self,
        root: str,
        prefix: Mapping[str, str | None],
        split: str | None,
        shares: Mapping[str, float] | None,
        ann_file: str,
    ) -> Place:
        """The folders of the split.

        Raises:
            InputError: one does not exist.
        """
        if root and not osp.isdir(root):
            raise InputError(f'no folder {root} (data_root)')
        images, masks = prefix.get('img_path') or '', prefix.get('seg_map_path')
        if ann_file:
            place = Place(
                osp.join(root, images), None if masks is None else osp.join(root, masks), osp.join(root, ann_file)
            )
        elif split is None:
            place = Place(osp.join(root, images), None if masks is None else osp.join(root, masks))
        else:
            place = find_place(root, images, masks, split, shares)
        for folder, key in ((place.images, 'img_path'), (place.masks, 'seg_map_path')):
            if folder is not None and not osp.isdir(folder or '.'):
                there = listed(folder_names(root or '.')) or 'no folders'
                raise InputError(
                    f'no folder {folder} (data_prefix.{key}): {root or "the current folder"} holds {there}'
                )
        if place.said:
            self._say(f'{split}: {place.said}')
        return place

    def _find_images(
        self, place: Place, mask_ending: str, shares: Mapping[str, float] | None, root: str, refuse_missing: bool
    ) -> tuple[Pairs, list[str]]:
        """All images of the folders with their masks, and the names of those in this split."""
        pairs = find_pairs(place.images, place.masks, self._endings, mask_ending)
        names, endings = pairs.images, self._endings or IMAGE_ENDINGS
        if place.list_file is not None:
            names, missing = names_in_list(place.list_file, names, endings, root)
            if missing and (refuse_missing or not names):
                raise InputError(
                    f'{place.list_file} lists {len(missing)} images that {place.images} does not hold: {listed(missing)}'
                )
            self._leave_out(len(pairs.images) - len(names), f'images not in {place.list_file}')
            names += missing
        if place.share is not None and names:
            chosen = take_share(names, shares or SHARES, place.share, endings)
            self._leave_out(len(names) - len(chosen), 'images of other shares')
            names = chosen
        self._leave_out(len(pairs.without_image), 'masks without an image')
        return pairs, names

    def _leave_out(self, number: int, what: str) -> None:
        if number:
            self.left_out.append(f'{number} {what}')

    def _find_classes(self, given: Any, metainfo: Mapping[str, Any] | None, root: str, masks: list[str]) -> ClassTable:
        """The classes of the config, of a file of the data set, or of the masks."""
        if given is None:
            given = (metainfo or {}).get('classes')
        if isinstance(given, str):
            below = osp.join(root, given)
            return read_class_file(below if osp.isfile(below) else given)
        if given is not None:
            return class_table(given)
        if found := find_class_file(root or '.'):
            table = read_class_file(found)
            self._say(f'the classes are those of {found}: {listed(table.names)}')
            return table
        table = inferred_classes(masks)
        self.classes_inferred = True
        self._say(f'no classes are named; the masks hold {len(table.names)}: {", ".join(table.names)}')
        return table

    def _find_items(self) -> list[dict]:
        """One dict for each image of the split."""
        items = []
        folder, masks = self.data_prefix['img_path'], self.data_prefix.get('seg_map_path')
        for name in self._names:
            item = dict(
                img_path=osp.join(folder, name), label_map=None, reduce_zero_label=self.reduce_zero_label, seg_fields=[]
            )
            if masks is not None:
                stem = osp.splitext(name)[0]
                item['seg_map_path'] = self._pairs.masks.get(name) or osp.join(
                    masks, stem + (self.seg_map_suffix or '.png')
                )
            items.append(item)
        return items


def _endings_of(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(osp.splitext(name)[1] for name in names)) or IMAGE_ENDINGS
