"""Why the labels of a data set do not fit its classes: the usual causes, each with the way out."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..invocation import as_typed
from .class_file import Colour, standard_colours
from .stored_label import StoredLabel

_CITYSCAPES_CLASSES, _CITYSCAPES_IDS = 19, 34
_MANY_COLOURS = 64  # more are not the colours of classes
_MANY_OTHERS = 5  # colours or numbers of no class that are more than a class or two
_FEW = 0.2  # the share of pixels that blurred edges may have
_SHOWN = 8


@dataclass(frozen=True)
class Classes:
    """What a data set says of its classes.

    Attributes:
        names: of the classes.
        palette: the colour of each.
        ignored: numbers that the data set ignores.
        reads_colours: whether it is a `FolderDataset` that knows the colours in the masks.
        reduces_zero: whether 0 is ignored already and 1 is class 0.
    """

    names: Sequence[str]
    palette: Sequence[Sequence[int]] = ()
    ignored: Collection[int] = (255,)
    reads_colours: bool = False
    reduces_zero: bool = False


def usual_causes(labels: Sequence[StoredLabel], classes: Classes) -> list[str]:
    """The causes that fit what the files hold, the likeliest first; an empty list where none does.

    Args:
        labels: files of labels that are wrong, or in which classes are missing.
        classes: of the data set.
    """
    if not labels:
        return []
    return list(dict.fromkeys([*_of_colours(labels, classes), *_of_numbers(labels, classes)]))


def _of_colours(labels: Sequence[StoredLabel], classes: Classes) -> Iterator[str]:
    coloured = [label for label in labels if label.colours]
    if any(label.in_alpha for label in labels):
        yield 'transparent masks: the mask is in the alpha channel and the colours are all the same; save alpha as a mask'
    grey = [label for label in labels if label.mode in ('RGB', 'RGBA', 'CMYK') and label.numbers and not label.in_alpha]
    if grey and not classes.reads_colours:
        yield (
            'one channel stored as three equal ones (grey RGB): FolderDataset reads it; for other data sets save the '
            "first channel, Image.open(path).getchannel('R').save(path)"
        )
    if not coloured:
        return
    colours: Counter[Colour] = sum((label.colours for label in coloured), Counter())
    known = {tuple(colour) for colour in classes.palette}
    rest = sum(number for colour, number in colours.items() if colour not in known) / sum(colours.values())
    most = max(label.number_of_colours for label in coloured)
    blurred = classes.reads_colours and rest < _FEW and len(colours.keys() - known) > _MANY_OTHERS
    if _are_jpeg(coloured):
        yield _JPEG
    elif blurred or most > _MANY_COLOURS:
        yield _BLURRED if blurred or most < 5000 else f'photographs in the place of masks: one holds {most} colours'
    if blurred:
        return
    table = ', '.join(f'class_{i}={colour}' for i, (colour, _) in enumerate(colours.most_common(_SHOWN)))
    more = ', ...' if len(colours) > _SHOWN else ''
    yield (
        f'RGB labels: the masks hold colours and not class numbers; FolderDataset reads them by a table, '
        f'classes=dict({table}{more}) with your names'
        if not classes.reads_colours
        else f'colours of no class: name them in classes or in `ignored`; the masks hold {table}{more}'
    )


_JPEG = (
    'JPEG-compressed masks: JPEG changes the values around every edge; export them again as PNG, or, where only these are '
    "left, FolderDataset with others='nearest' and the colour or number of each class takes the nearest class"
)
_BLURRED = (
    'anti-aliased masks: values between those of the classes stand at the edges, where a mask was drawn with soft edges, '
    'resized with interpolation, or once saved as JPEG; export it without smoothing, or, with FolderDataset, set '
    "others='nearest', or others='ignored'"
)


def _are_jpeg(labels: Sequence[StoredLabel]) -> bool:
    return sum(label.format in ('JPEG', 'MPO') for label in labels) > len(labels) / 2


def _of_numbers(labels: Sequence[StoredLabel], classes: Classes) -> Iterator[str]:
    labels = [label for label in labels if label.numbers]
    counts: Counter[int] = sum((label.numbers for label in labels), Counter())
    if not counts:
        return
    number = len(classes.names)
    # `ignored` holds what is ignored after loading; before it, 0 is too where the data set reduces it.
    values = sorted(counts)
    first = int(classes.reduces_zero)
    wrong = [
        v for v in values if not first <= v < number + first and v not in classes.ignored and not (first and v == 0)
    ]
    share = sum(counts[v] for v in wrong) / sum(counts.values())
    inside = [v for v in values if v not in classes.ignored]
    if set(values) in ({0, 255}, {255}, {0, 65535}) and number >= 2:
        yield (
            f'0/{values[-1]} masks: {values[-1]} stands for the second class and is not ignored; FolderDataset reads them '
            "with masks='binary'; for other data sets convert them, each by "
            "Image.fromarray((numpy.asarray(Image.open(path)) > 0).astype('uint8')).save(path)"
        )
        return
    if not wrong:
        if inside and 0 not in inside and not first:
            yield _off_by_one(number)
        elif first and 0 in inside and max(inside) == number - 1:
            yield 'an off-by-one: reduce_zero_label=True ignores 0, which is a class here; set it to False'
        return
    if _are_jpeg(labels):
        yield _JPEG
        return
    if number == _CITYSCAPES_CLASSES and max(wrong) < _CITYSCAPES_IDS:
        yield (
            'raw Cityscapes label ids (*_labelIds.png) in place of trainIds: run '
            f'{as_typed("prepare_cityscapes")} on the data root and use *_gtFine_labelTrainIds.png'
        )
        return
    if max(wrong) >= 1000 and all(v < _CITYSCAPES_IDS or (v // 1000 < _CITYSCAPES_IDS and v >= 1000) for v in values):
        yield 'Cityscapes instance ids (*_instanceIds.png: class times 1000 and a number): use the label files'
        return
    if set(wrong) == {number} and 0 not in inside and not first:
        yield _off_by_one(number)
        return
    yield from _of_palette(labels, values, wrong, classes)
    if max(values) > 255:
        yield (
            f'masks of 16 bits with numbers up to {max(values)}: say which number is which class, classes=dict(NAME=NUMBER) '
            'of FolderDataset'
        )
        return
    if len(wrong) == 1 and max(inside) == wrong[0] and share < 0.9 and not _is_stretched(inside, number):
        (value,) = wrong
        yield (
            f'255 missing: ignored pixels seem to be stored as {value}; set ignored=[{value}] of FolderDataset, or '
            f'ignore_index={value} of another data set, the heads and the metric'
        )
        if value == number:
            yield (
                f'or a background class that is not named: {number} classes and 0 to {value} in the masks; name all '
                f'{number + 1}, or set reduce_zero_label=True where 0 is background'
            )
        return
    if _is_stretched(inside, number):
        table = ', '.join(f'class_{i}={value}' for i, value in enumerate(inside))
        yield f'numbers stretched for viewing, evenly over 0 to 255: FolderDataset reads them by classes=dict({table})'
    elif len(wrong) > _MANY_OTHERS and share < _FEW:
        yield _BLURRED
    elif first == 0 and 0 not in inside and max(inside) <= number:
        yield _off_by_one(number)
    else:
        yield (
            f'numbers that are no class ({", ".join(map(str, wrong[:_SHOWN]))}): name all classes, or say which number is '
            "which, classes=dict(NAME=NUMBER) of FolderDataset, with others='ignored' for the rest"
        )


def _off_by_one(number: int) -> str:
    return f'an off-by-one: the masks count the classes from 1 to {number} and not from 0; set reduce_zero_label=True of the data set'


def _is_stretched(values: Sequence[int], number: int) -> bool:
    """Whether there are about as many values as classes, evenly from 0 to 200 or more."""
    if len(values) < 2 or len(values) > number or max(values) < 100 or values[0] != 0:
        return False
    steps = np.diff(values)
    return len(values) == 2 or int(steps.max() - steps.min()) <= 2


def _of_palette(
    labels: Sequence[StoredLabel], values: Sequence[int], wrong: Sequence[int], classes: Classes
) -> Iterator[str]:
    """Causes that have to do with the colours of palette images."""
    known = {tuple(colour) for colour in classes.palette}
    shown = {colour for label in labels for colour in label.palette.values()}
    if shown and known and len(shown & known) >= 2 and shown <= known | {(0, 0, 0), (224, 224, 192), (255, 255, 255)}:
        yield (
            'palette index against colours: the numbers of the palette images are not the class numbers, but their colours '
            "are those of the classes; FolderDataset reads them with masks='colours'"
        )
        return
    colours = [*known, *standard_colours(21), (224, 224, 192)]
    for table in (known, set(colours)):
        greys = {round(0.299 * red + 0.587 * green + 0.114 * blue) for red, green, blue in table}
        if len(values) > 2 and max(values) < 256 and len(wrong) > 1 and set(values) <= greys | {255}:
            yield (
                'palette colours turned into grey: the numbers are the grey levels of the colours of a palette, which was lost '
                'in a conversion; export the masks again, or say which number is which class, classes=dict(NAME=NUMBER)'
            )
            return
