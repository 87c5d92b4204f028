"""What the masks of a data set hold, class numbers, other numbers, colours or 0 and 255, and their decoding to class numbers."""

import functools
import io
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from ..errors import InputError, listed
from .class_file import ClassTable, Colour

KINDS = ('auto', 'numbers', 'colours', 'binary')
OTHERS = ('refuse', 'ignored', 'nearest')
_ONE_CHANNEL = ('1', 'L', 'P', 'I', 'I;16', 'I;16B', 'I;16L', 'F')
_UNKNOWN = -1


@dataclass(frozen=True)
class MaskForm:
    """How masks are turned into class numbers.

    Attributes:
        number_of_classes: of the data set.
        kind: 'numbers' (a palette image counts as the numbers of its palette), 'colours', 'binary' (0 is class 0, all
            else class 1), or 'auto': what each mask shows it to be.
        colours: of each class.
        numbers: that stand for each class in the masks; the class numbers themselves where None.
        ignored: numbers and colours that mean ignored, beside `ignore_index`.
        others: what is done with a number or colour that is no class: 'refuse', 'ignored', or 'nearest' for the class whose
            number or colour is the closest.
        ignore_index: what is written for ignored.
        reduce_zero_label: the number 0 is ignored, 1 is class 0 and so on.
    """

    number_of_classes: int
    kind: str = 'auto'
    colours: tuple[Colour, ...] | None = None
    numbers: tuple[int, ...] | None = None
    ignored: tuple[int | Colour, ...] = ()
    others: str = 'refuse'
    ignore_index: int = 255
    reduce_zero_label: bool = False


def form_of(table: ClassTable, kind: str, ignored: object, others: str, ignore_index: int, reduce: bool) -> MaskForm:
    """The form of a data set's masks, from what its config says.

    Raises:
        InputError: an argument has no meaning, or two contradict each other.
    """
    if kind not in KINDS:
        raise InputError(f'masks={kind!r}: give one of {", ".join(KINDS)}')
    if others not in OTHERS:
        raise InputError(f'others={others!r}: give one of {", ".join(OTHERS)}')
    if kind == 'colours' and table.colours is None:
        raise InputError("masks='colours' needs their colours: classes=dict(ground=(0, 0, 0), road=(128, 64, 128))")
    if kind == 'binary' and len(table.names) != 2:
        raise InputError(f"masks='binary' is for two classes, what is 0 and what is not, got {len(table.names)}")
    if reduce and (table.colours or table.numbers or kind in ('colours', 'binary')):
        raise InputError(
            'reduce_zero_label=True is for masks of class numbers that count from 1; with colours or numbers of '
            'classes, name in `ignored` what is ignored'
        )
    one = isinstance(ignored, int) or (
        isinstance(ignored, (list, tuple)) and len(ignored) == 3 and not _is_list_of_numbers(ignored, table)
    )
    given = [ignored] if one else ignored
    if not isinstance(given, (list, tuple)) or not all(_is_number_or_colour(value) for value in given):
        raise InputError(f'ignored={ignored!r}: give numbers and colours, such as ignored=[0, (0, 0, 0)]')
    marked = tuple(value if isinstance(value, int) else tuple(value) for value in given)
    return MaskForm(len(table.names), kind, table.colours, table.numbers, marked, others, ignore_index, reduce)


def _is_list_of_numbers(values: list | tuple, table: ClassTable) -> bool:
    """Whether three numbers are three values and not one colour, which they are where classes have colours."""
    return table.colours is None or not all(isinstance(value, int) for value in values)


def _is_number_or_colour(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) == 3 and all(isinstance(one, int) and 0 <= one <= 255 for one in value)
    return isinstance(value, int) and value >= 0


def decode_mask(content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """What a mask file holds: (H, W) numbers or (H, W, 3) colours, and the palette (N, 3) of a palette image.

    Raises:
        ValueError: it is no image of numbers or colours.
    """
    try:
        image: Image.Image = Image.open(io.BytesIO(content))
        image.load()
    except Exception:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
        if found is None:  # what Pillow does not know, such as some kinds of TIFF
            raise
        return np.ascontiguousarray(found[..., 2::-1]) if found.ndim == 3 else found, None
    if image.mode in ('LA', 'La', 'PA'):
        image = image.getchannel(0)
    if image.mode not in _ONE_CHANNEL:
        return np.asarray(image.convert('RGB')), None
    array = np.asarray(image)
    if array.dtype.kind == 'f':
        if not np.array_equal(array, np.rint(array)):
            raise ValueError('it holds fractions, and a mask holds whole numbers')
        array = array.astype(np.int32)
    palette = image.getpalette('RGB') if image.mode == 'P' else None
    array = array.astype(np.uint8) if array.dtype == bool else array
    return array, np.reshape(palette, (-1, 3)) if palette else None


def classes_of_mask(content: bytes, form: MaskForm, path: str) -> np.ndarray:
    """The class numbers (H, W) of a mask file; of 8 bits unless it holds greater ones, which are no classes.

    Raises:
        InputError: it holds numbers or colours that are no classes. Without a table, numbers are not judged.
        ValueError: it is no image of numbers or colours.
    """
    array, palette = decode_mask(content)
    if form.kind == 'binary':
        return _binary(array, form)
    array = _as_colours_or_numbers(array, palette, form, path)
    label = _from_colours(array, form, path) if array.ndim == 3 else _from_numbers(array, form, path)
    return label.astype(np.uint8) if label.size and label.min() >= 0 and label.max() <= 255 else label


def _binary(array: np.ndarray, form: MaskForm) -> np.ndarray:
    inside = (array != 0).any(-1) if array.ndim == 3 else array != 0
    label = inside.astype(np.uint8)
    for value in form.ignored:
        if array.ndim == 3:
            label[(array == np.array(value)).all(-1)] = form.ignore_index
        elif isinstance(value, int):
            label[array == value] = form.ignore_index
    return label


def _as_colours_or_numbers(array: np.ndarray, palette: np.ndarray | None, form: MaskForm, path: str) -> np.ndarray:
    """The array that is looked up: colours (H, W, 3) or numbers (H, W), whichever the mask and the classes show it to be."""
    known = {*(form.colours or ()), *(value for value in form.ignored if isinstance(value, tuple))}
    if array.ndim == 3:
        grey = not np.any(array[..., 0] != array[..., 1]) and not np.any(array[..., 0] != array[..., 2])
        numbers = array[..., 0]
        if grey and form.kind != 'colours' and not _are_in([(v, v, v) for v in values_of(numbers)], known):
            return numbers  # one channel, stored three times
        if form.colours is None or form.kind == 'numbers':
            raise InputError(f'{path} holds colours, {listed(map(str, colours_of(array)))}: {NO_TABLE}')
        return array
    if form.colours is None or form.kind == 'numbers':
        return array
    values = values_of(array)
    shown = [tuple(palette[v].tolist()) if palette is not None and v < len(palette) else (v, v, v) for v in values]
    as_colours = _are_in(shown, known)
    if palette is None and form.kind == 'auto' and all(v < form.number_of_classes or v in form.ignored for v in values):
        as_colours = False  # a mask of one channel whose numbers are classes
    if not as_colours and form.kind == 'auto':
        return array
    table = np.zeros((max(values, default=0) + 1, 3), np.uint8)
    table[values] = np.clip(shown, 0, 255) if values else 0
    return table[array]


NO_TABLE = (
    'name the colour of each class, classes=dict(ground=(0, 0, 0), road=(128, 64, 128)) of FolderDataset, or convert the '
    'masks to class numbers'
)


def _are_in(colours: Iterable[Colour], known: set[Colour]) -> bool:
    return all(colour in known for colour in colours)


def _from_numbers(array: np.ndarray, form: MaskForm, path: str) -> np.ndarray:
    ignored = [value for value in form.ignored if isinstance(value, int)]
    if form.numbers is None and form.others == 'refuse':
        label = array.astype(np.int32) if ignored or form.reduce_zero_label else array
        if form.reduce_zero_label:
            label = np.where((array == 0) | (array == 255), 255, label - 1)
        for value in ignored:
            label[array == value] = form.ignore_index
        return label
    if form.reduce_zero_label:
        ignored.append(0)
    numbers = form.numbers or tuple(range(form.reduce_zero_label, form.number_of_classes + form.reduce_zero_label))
    label = np.full(array.shape, _UNKNOWN, np.int32)
    classes = {number: place for place, number in enumerate(numbers)}
    values = values_of(array)
    for value in values:
        if value in ignored or (value not in classes and value in (form.ignore_index, 255)):
            label[array == value] = form.ignore_index
        elif value in classes:
            label[array == value] = classes[value]
    unknown = [value for value in values if value not in classes and value not in (*ignored, form.ignore_index, 255)]
    if unknown and form.others == 'refuse':
        raise InputError(
            f'{path} holds the numbers {listed(map(str, unknown))}, which stand for no class: the classes are '
            f'{listed(map(str, numbers))}; name them in `ignored`, or set others to ignored or nearest'
        )
    for value in unknown:
        nearest = int(np.argmin(np.abs(np.array(numbers) - value)))
        label[array == value] = nearest if form.others == 'nearest' else form.ignore_index
    return label


def _from_colours(array: np.ndarray, form: MaskForm, path: str) -> np.ndarray:
    codes = _codes(array)
    label = _table(form)[codes]
    unknown = label == _UNKNOWN
    if not unknown.any():
        return label
    if form.others == 'refuse':
        found = [tuple(int(part) for part in colour) for colour in colours_of(array[unknown][None])]
        share = f'{100 * np.mean(unknown):.2g} % of its pixels'
        raise InputError(
            f'{path} holds colours of no class, {listed(map(str, found))}, on {share}: name them in classes or in '
            "`ignored`, or, where they are blurred edges, set others='nearest'"
        )
    if form.others == 'ignored':
        label[unknown] = form.ignore_index
        return label
    different, places = np.unique(codes[unknown], return_inverse=True)
    colours = np.stack([different >> 16, different >> 8 & 255, different & 255], 1).astype(np.int64)
    distances = ((colours[:, None] - np.array(form.colours)[None]) ** 2).sum(-1)
    label[unknown] = distances.argmin(1)[places]
    return label


def _codes(array: np.ndarray) -> np.ndarray:
    wide = array.astype(np.int32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


@functools.lru_cache(maxsize=2)
def _table(form: MaskForm) -> np.ndarray:
    """The class of every colour, (2**24,)."""
    table = np.full(1 << 24, _UNKNOWN, np.int16)
    for place, (red, green, blue) in enumerate(form.colours or ()):
        table[red << 16 | green << 8 | blue] = place
    for value in form.ignored:
        if isinstance(value, tuple):
            table[value[0] << 16 | value[1] << 8 | value[2]] = form.ignore_index
    return table


def values_of(array: np.ndarray) -> list[int]:
    """The different numbers in an array, in order."""
    if array.dtype == np.uint8:
        return np.flatnonzero(np.bincount(array.reshape(-1), minlength=1)).tolist()
    return np.unique(array).tolist()


def colours_of(array: np.ndarray) -> list[Colour]:
    """The different colours in an array (H, W, 3), the most frequent first."""
    codes, _ = counted_codes(array)
    return [colour_of(code) for code in codes.tolist()]


def counted_codes(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different colours in an array (H, W, 3) as one number each, the most frequent first, and their pixels."""
    codes, counts = np.unique(_codes(array), return_counts=True)
    order = np.argsort(-counts, kind='stable')
    return codes[order], counts[order]


def colour_of(code: int) -> Colour:
    """The colour that a number of `counted_codes` stands for."""
    return code >> 16, code >> 8 & 255, code & 255
