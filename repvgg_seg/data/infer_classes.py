"""What a look at the masks of a folder shows: whether they are binary, their palette, and the classes where nobody names them."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import InputError
from .class_file import ClassTable, Colour, standard_colours
from .image_size_limit import fault_of_header
from .label_sample import spread
from .mask_form import colours_of, decode_mask, values_of

_BINARY = 50  # masks that are looked at
_MOST = 500
_MOST_COLOURS = 256
_NAME_THEM = (
    "name the classes: classes=['ground', 'road'], or with colours classes=dict(ground=(0, 0, 0), road=(128, 64, 128))"
)


def holds_binary_masks(paths: Sequence[str]) -> bool:
    """Whether masks, evenly spread, hold 0 and 255 and nothing else."""
    found: set[int] = set()
    for array, _ in _read(paths, _BINARY):
        if array.ndim == 3:
            if np.any(array[..., :1] != array):
                return False
            array = array[..., 0]
        found |= set(values_of(array))
        if not found <= {0, 255}:
            return False
    return 255 in found


def palette_in(paths: Sequence[str], number: int) -> tuple[Colour, ...]:
    """The colours of the classes in the palette of the first mask, or, where it has none, those of PASCAL VOC."""
    for _, palette in _read(paths, 1):
        if palette is not None and len(palette) >= number:
            colours = tuple(tuple(int(part) for part in colour) for colour in palette[:number])
            if len(set(colours)) == number and any(max(colour) != min(colour) for colour in colours):
                return colours  # type: ignore[return-value]
    return standard_colours(number)


def inferred_classes(paths: Sequence[str]) -> ClassTable:
    """The classes that masks hold: of numbers all up to the largest, of colours each that occurs.

    Raises:
        InputError: there are no masks, or too many colours to be classes.
    """
    numbers: set[int] = set()
    colours: set[Colour] = set()
    for array, _ in _read(paths, _MOST):
        if array.ndim == 3 and np.any(array[..., :1] != array):
            colours |= set(colours_of(array))
        else:
            numbers |= set(values_of(array[..., 0] if array.ndim == 3 else array))
        if len(colours) > _MOST_COLOURS or max(numbers, default=0) > 255:
            what = f'more than {_MOST_COLOURS} colours' if colours else f'numbers up to {max(numbers)}'
            raise InputError(f'no classes are named, and the masks hold {what}, too many to be classes: {_NAME_THEM}')
    if colours:
        ordered = sorted(colours | {(value, value, value) for value in numbers})
        known = [colour for colour in standard_colours(256) if colour in ordered]
        ordered = known if len(known) == len(ordered) else ordered
        return ClassTable(tuple('#{:02x}{:02x}{:02x}'.format(*colour) for colour in ordered), colours=tuple(ordered))
    if numbers == {0, 255}:
        return ClassTable(('class_0', 'class_1'))
    classes = numbers - {255}
    if not classes:
        raise InputError(f'no classes are named, and no mask shows them: {_NAME_THEM}')
    return ClassTable(tuple(f'class_{i}' for i in range(max(classes) + 1)))


def _read(paths: Sequence[str], most: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """What masks hold, evenly spread over the paths; those that cannot be read are left to their loading step."""
    for i in islice(spread(len(paths)), most):
        if fault_of_header(paths[i]):
            continue
        try:
            yield decode_mask(Path(paths[i]).read_bytes())
        except Exception:  # decoders raise many types for damaged files
            continue
