"""The orientation tag of photographs (EXIF), which a reader may follow or not, while a label was drawn on one of the two."""

import os.path as osp
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mmcv.transforms import LoadImageFromFile
from PIL import ExifTags, Image

_UPRIGHT, _SIDEWAYS = 1, 5  # from 5 on height and width change places
AS_STORED = "color_type='color_ignore_orientation'"
TURNED = "color_type='color'"


def orientation_of(path: str) -> int:
    """Return the orientation tag of an image, 1 to 8; 1, upright, where it has none or cannot be read."""
    if not osp.isfile(path):
        return _UPRIGHT
    try:
        with Image.open(path) as image:
            found = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception:  # whether a file can be read is for its loading step to say
        return _UPRIGHT
    return found if found in range(1, 9) else _UPRIGHT


def turns_images(step: Callable) -> bool:
    """Whether a loading step follows the tag, as OpenCV and Pillow do for `color` and `grayscale`."""
    return (
        isinstance(step, LoadImageFromFile)
        and step.imdecode_backend in ('cv2', 'pillow')
        and step.color_type in ('color', 'grayscale')
    )


def why_sizes_differ(label: Sequence[int], image: Sequence[int], path: str) -> str:
    """Name the tag as the cause, and the setting, where a label (H, W) has the size of the image without or with it.

    Returns an empty string where the image has no such tag, or its label yet another size.
    """
    orientation = orientation_of(path)
    if orientation == _UPRIGHT or tuple(label) != tuple(image)[::-1]:
        return ''
    with Image.open(path) as stored:
        turned = (stored.height, stored.width) != tuple(image)
    how, setting = ('turned as the tag says', AS_STORED) if turned else ('as stored', TURNED)
    return (
        f'the image carries the EXIF orientation {orientation} and is read {how}, but its label is not: '
        f'set {setting} of LoadImageFromFile in every pipeline'
    )


def count_orientations(paths: Iterable[str]) -> dict[int, int]:
    """How many of the images carry each orientation tag other than upright."""
    return dict(Counter(tag for tag in map(orientation_of, paths) if tag != _UPRIGHT))


def fits_as_read(image: str, label: str, turned: bool) -> tuple[bool, str]:
    """Compare the size of a label with that of an image that lies on its side.

    Args:
        image: path of an image.
        label: path of its label.
        turned: whether images are read turned, as the tag says.

    Returns:
        Whether the sizes show that it is read in the form on which its label was drawn, and what is wrong where they show
        that it is not.
    """
    if orientation_of(image) < _SIDEWAYS:
        return False, ''
    try:
        with Image.open(image) as stored, Image.open(label) as drawn:
            width, height = stored.size
            size = (drawn.height, drawn.width)
    except Exception:  # whether a file can be read is for its loading step to say
        return False, ''
    read = (width, height) if turned else (height, width)
    fault = why_sizes_differ(size, read, image) if size != read else ''
    named = f'{label} is {size[0]}x{size[1]}, its image {image} {read[0]}x{read[1]} (height x width): '
    return size == read and width != height, fault and named + fault
