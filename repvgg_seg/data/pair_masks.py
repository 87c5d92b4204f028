"""Find images and the mask of each by the names of the files, whatever endings and words annotation tools add."""

import os
import os.path as osp
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import InputError, listed
from ..files import walk_folder

IMAGE_ENDINGS = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm', '.pgm', '.jp2')
MASK_ENDINGS = (*IMAGE_ENDINGS, '.gif')
_IMAGE_WORDS = 'images|image|img|rgb|sat|photo|leftImg8bit'
_MASK_WORDS = (
    'masks|mask|labels|label|labelIds|labelTrainIds|gtFine|gtCoarse|gt|groundtruth|segmentation|segm|seg|annotations|'
    'annotation|anno|colors|color|colour|L'
)


@dataclass
class Pairs:
    """The images of a folder with their masks.

    Attributes:
        images: names of the images below their folder, sorted.
        masks: the path of the mask of each image that has one, by the name of the image.
        without_image: names of masks that belong to no image.
    """

    images: list[str]
    masks: dict[str, str] = field(default_factory=dict)
    without_image: list[str] = field(default_factory=list)


def find_pairs(
    image_folder: str, mask_folder: str | None, image_endings: Sequence[str] = (), mask_ending: str = ''
) -> Pairs:
    """Find the images in a folder, those in folders inside it included, and the mask of each.

    A mask has the name of its image, with another ending, or with a word such as `_mask` or `_labelIds` before or behind it.

    Args:
        image_folder: that holds the images.
        mask_folder: that holds the masks, which may be the same; None for images without masks.
        image_endings: what names of images end with; any ending of an image by default.
        mask_ending: what is added to the name of an image, without its ending, to name its mask, such as '_mask.png'.

    Raises:
        InputError: several masks fit one image, or images and masks in one folder cannot be told apart.
    """
    endings = tuple(ending.lower() for ending in image_endings) or IMAGE_ENDINGS
    images = [name for name in files_below(image_folder) if name.lower().endswith(endings)]
    if mask_folder is None:
        return Pairs(images)
    masks = [name for name in files_below(mask_folder) if name.lower().endswith(mask_ending.lower() or MASK_ENDINGS)]
    if _same(image_folder, mask_folder):
        images, masks = _told_apart(images, masks, bool(image_endings), mask_ending, image_folder)
    elif (inside := _inside(mask_folder, image_folder)) is not None:
        images = [name for name in images if not name.startswith(inside)]
    elif (inside := _inside(image_folder, mask_folder)) is not None:
        masks = [name for name in masks if not name.startswith(inside)]
    return _matched(images, masks, mask_folder, endings, mask_ending)


def files_below(folder: str) -> Iterator[str]:
    """The names of the files at every depth of a folder, with / between folders, sorted; links are followed, hidden files not."""
    found = []
    for parent, _, names in walk_folder(folder):
        below = osp.relpath(parent, folder)
        found += [osp.normpath(osp.join(below, name)).replace(os.sep, '/') for name in names]
    return iter(sorted(found))


def without_ending(name: str, endings: Iterable[str] = ()) -> str:
    """A name without the longest of these endings that it has, or without the part behind its last dot."""
    found = [ending for ending in endings if ending and name.lower().endswith(ending.lower())]
    return name[: -len(max(found, key=len))] if found else osp.splitext(name)[0]


def same_name(name: str) -> str:
    """A name in one of the forms that Unicode has for letters with accents: file systems differ in them."""
    return unicodedata.normalize('NFC', name)


def _same(one: str, other: str) -> bool:
    return osp.realpath(one) == osp.realpath(other)


def _inside(folder: str, of: str) -> str | None:
    """How the names of the files of a folder begin below another that contains it; None where it does not."""
    below = osp.relpath(osp.realpath(folder), osp.realpath(of)).replace(os.sep, '/')
    return None if below.startswith('..') else f'{below}/'


def _told_apart(
    images: list[str], masks: list[str], endings_given: bool, mask_ending: str, folder: str
) -> tuple[list[str], list[str]]:
    """The images and the masks of one folder that holds both."""
    if mask_ending:
        return [name for name in images if name not in set(masks)], masks
    if endings_given:
        return images, [name for name in masks if name not in set(images)]
    stems = {same_name(without_ending(name)) for name in images}
    marked = set()
    for name in masks:
        stem = same_name(without_ending(name))
        if (plain := _bare(stem, _MASK_WORDS)) != stem and plain in stems:
            marked.add(name)
    if not marked:
        raise InputError(
            f'{folder} holds images and masks, which cannot be told apart: set seg_map_suffix, such as '
            "seg_map_suffix='_mask.png', or img_suffix, such as img_suffix='.jpg'"
        )
    return [name for name in images if name not in marked], [name for name in masks if name in marked]


def _matched(images: list[str], masks: list[str], mask_folder: str, endings: Sequence[str], mask_ending: str) -> Pairs:
    pairs = Pairs(images)
    tiers = [(lambda stem: stem, lambda stem: stem)]
    if not mask_ending:
        tiers += [
            (lambda stem: stem, lambda stem: without_ending(stem, endings) if '.' in stem else stem),
            (lambda stem: stem.lower(), _mask_key),
            (_image_key, _mask_key),
            (lambda stem: osp.basename(_image_key(stem)), lambda stem: osp.basename(_mask_key(stem))),
        ]
    left, free = images, masks
    for image_key, mask_key in tiers:
        by_key: defaultdict[str, list[str]] = defaultdict(list)
        for name in free:
            by_key[mask_key(same_name(without_ending(name, [mask_ending])))].append(name)
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for name in left:
            wanted[image_key(same_name(without_ending(name, endings)))].append(name)
        for key, names in wanted.items():
            found = by_key.get(key, [])
            if len(found) > 1 and (image_key is tiers[0][0] or image_key is not tiers[-1][0]):
                raise InputError(
                    f'{names[0]} has several masks in {mask_folder}, {listed(found)}: say by seg_map_suffix which, such '
                    f'as seg_map_suffix={_remainder(found[0], names[0], endings)!r}'
                )
            if len(found) == 1 and (image_key is tiers[0][0] or len(names) == 1):
                pairs.masks.update((name, osp.join(mask_folder, found[0])) for name in names)
        left = [name for name in left if name not in pairs.masks]
        used = {osp.relpath(path, mask_folder).replace(os.sep, '/') for path in pairs.masks.values()}
        free = [name for name in free if name not in used]
        if not left:
            break
    pairs.without_image = free
    return pairs


def _image_key(stem: str) -> str:
    return _bare(stem, _IMAGE_WORDS).lower()


def _mask_key(stem: str) -> str:
    return _bare(stem, _MASK_WORDS).lower()


def _bare(stem: str, words: str) -> str:
    """A name, folders before it included, without these words at its beginning or end."""
    folder, slash, name = stem.rpartition('/')
    while True:
        shorter = re.sub(rf'(?i)[_\-. ]+({words})$', '', name)
        shorter = re.sub(rf'(?i)^({words})([_\-. ]+|(?=\d))', '', shorter)
        if shorter in ('', name):
            return f'{folder}{slash}{name}'
        name = shorter


def _remainder(mask: str, image: str, endings: Sequence[str]) -> str:
    stem = without_ending(image, endings)
    return mask.removeprefix(stem) if mask.startswith(stem) else osp.basename(mask)
