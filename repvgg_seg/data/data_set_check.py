"""What is wrong with the images and labels of a data set's splits, found by reading all of them before training."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import listed
from .label_causes import Classes, usual_causes
from .label_checks import IGNORED, ignored_labels
from .read_items import Item
from .shared_images import same_images, similar_images

_FAULTS = {
    'image': 'images that cannot be read',
    'no label': 'images without a label',
    'label': 'labels that cannot be read as class numbers',
    'size': 'labels of another size than their image',
    'values': 'labels with numbers that are no class',
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        split: where: train, val or test.
        what: the kind, with how many there are.
        examples: the first few files with what is wrong in them.
        causes: what it usually comes from, with the way out.
    """

    split: str
    what: str
    examples: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)


@dataclass
class Split:
    """A split that has been read.

    Attributes:
        name: train, val or test.
        datasets: those inside it that were read, each with its items.
        left_out: what is left out, in words, that may be meant to be there.
    """

    name: str
    datasets: list[tuple[Any, list[Item]]]
    left_out: list[str] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        """All items."""
        return [item for _, items in self.datasets for item in items]

    @property
    def has_labels(self) -> bool:
        """Whether labels were read."""
        return any(item.label or 'no label' in item.faults for item in self.items)


def findings_of(split: Split) -> Iterator[Finding]:
    """What is wrong with the files and labels of one split."""
    for what in split.left_out:
        yield Finding(split.name, f'left out: {what}')
    for dataset, items in split.datasets:
        classes = classes_of(dataset)
        for kind, named in _FAULTS.items():
            wrong = [item for item in items if kind in item.faults]
            if wrong:
                examples = [_told(_file(item, kind), item.faults[kind]) for item in wrong[:3]]
                stored = [item.stored for item in wrong if item.stored is not None]
                causes = usual_causes(stored, classes) if kind in ('label', 'values') else []
                yield Finding(split.name, f'{len(wrong)} of {len(items)} {named}', examples, causes)
        if empty := [item for item in items if item.ignored and not item.counts and not item.faults]:
            yield Finding(
                split.name,
                f'{len(empty)} empty labels: all of their pixels are ignored',
                [item.label for item in empty[:3]],
            )
    yield from _missing_classes(split)


def _told(path: str, fault: str) -> str:
    return fault if path in fault else f'{path}: {fault}'


def _file(item: Item, kind: str) -> str:
    return item.image if kind in ('image', 'no label') else item.label


def _missing_classes(split: Split) -> Iterator[Finding]:
    """The classes of which no label of the split holds a pixel; of the test set, none is missed."""
    if not split.has_labels or split.name == 'test' or not split.datasets:
        return
    dataset = split.datasets[0][0]
    names = dataset.metainfo['classes']
    pixels = pixels_of(split)
    missing = [name for i, name in enumerate(names) if not pixels[i]]
    if not missing or not pixels.sum():
        return
    stored = [
        item.stored for item in split.items if item.stored is not None and not {'label', 'values'} & item.faults.keys()
    ]
    yield Finding(
        split.name,
        f'{len(missing)} of {len(names)} classes occur in no label: {listed(missing)}',
        causes=usual_causes(stored, classes_of(dataset)),
    )


def classes_of(dataset: Any) -> Classes:
    """What a data set says of its classes, of the numbers in the files that it ignores, and of colours."""
    form = getattr(dataset, 'form', None)
    ignored = {*ignored_labels(dataset), IGNORED} if form else set(ignored_labels(dataset))
    return Classes(
        dataset.metainfo['classes'],
        dataset.metainfo.get('palette') or (),
        ignored | {value for value in getattr(form, 'ignored', ()) if isinstance(value, int)},
        getattr(form, 'colours', None) is not None,
        bool(getattr(dataset, 'reduce_zero_label', False)),
    )


def shared_between(splits: Sequence[Split]) -> tuple[list[Finding], dict[str, str]]:
    """Images that two splits share; those of the earlier split, with the reason, to be left out of it."""
    findings: list[Finding] = []
    reasons: dict[str, str] = {}
    for i, one in enumerate(splits):
        for other in splits[i + 1 :]:
            for what, pairs in (
                ('the same image is in', same_images(one.items, other.items)),
                ('almost the same image (other compression or size) is in', similar_images(one.items, other.items)),
            ):
                if not pairs:
                    continue
                examples = [f'{item.image} and {twin.image}' for item, twin in pairs[:3]]
                findings.append(Finding(one.name, f'{what} {other.name}: {len(pairs)} images', examples))
                if one.name == 'train':
                    reasons |= {item.image: f'{what} {other.name}: {twin.image}' for item, twin in pairs}
    return findings, reasons


def bad_files(split: Split) -> dict[str, str]:
    """The images that cannot be used, with the reason: theirs or that of their label."""
    return {item.image: '; '.join(item.faults.values()) for item in split.items if item.faults}


def pixels_of(split: Split) -> np.ndarray:
    """The pixels of each class in a split, (classes,)."""
    return _summed(split, lambda item: item.counts)


def weights_of(split: Split) -> list[float]:
    """The weight of each class in the loss by median frequency balancing (Eigen and Fergus 2015, section 4.3.2).

    A class's frequency is its share of the pixels of the images in which it occurs; its weight is the median of these over its
    own. A class that does not occur has 1.
    """
    pixels = pixels_of(split)
    present = _summed(split, lambda item: dict.fromkeys(item.counts, sum(item.counts.values())))
    frequencies = np.divide(pixels, present, out=np.zeros(len(pixels)), where=present > 0)
    found = frequencies[frequencies > 0]
    if not len(found):
        return [1.0] * len(pixels)
    weights = np.divide(np.median(found), frequencies, out=np.ones(len(pixels)), where=frequencies > 0)
    return [float(f'{weight:.4g}') for weight in weights]


def images_with(split: Split) -> np.ndarray:
    """The number of labels that hold each class, (classes,)."""
    return _summed(split, lambda item: dict.fromkeys(item.counts, 1))


def _summed(split: Split, figures: Any) -> np.ndarray:
    total = np.zeros(len(split.datasets[0][0].metainfo['classes']) if split.datasets else 0, np.int64)
    for item in split.items:
        for place, number in figures(item).items():
            if place < len(total):
                total[place] += number
    return total


def described(split: Split) -> list[str]:
    """What the images and labels of a split are, in a few lines."""
    items = split.items
    labels = sum(bool(item.label) and 'no label' not in item.faults for item in items)
    lines = [f'{len(items)} images, ' + (f'{labels} labels' if split.has_labels else 'no labels are read')]
    lines.append('sizes (width x height): ' + _tally(f'{item.size[1]}x{item.size[0]}' for item in items if item.size))
    lines.append('images: ' + _tally(item.kind for item in items if item.kind))
    stored = [item.stored for item in items if item.stored is not None]
    if stored:
        lines.append(
            'label files: ' + _tally(f'{one.format} {one.mode}' for one in stored) + f' ({len(stored)} looked at)'
        )
    if turned := Counter(item.orientation for item in items if item.orientation != 1):
        tags = ', '.join(f'{number} with {tag}' for tag, number in sorted(turned.items()))
        lines.append(f'EXIF orientation: {sum(turned.values())} images are turned ({tags})')
    single = sum(len(item.counts) == 1 for item in items)
    if single:
        lines.append(f'{single} labels hold one class only')
    return lines


def _tally(values: Iterator[str] | Any) -> str:
    counts = Counter(values)
    shown = ', '.join(f'{value} ({number})' for value, number in counts.most_common(4))
    return shown + (f' and {len(counts) - 4} more' if len(counts) > 4 else '') if counts else 'none could be read'


def as_record(splits: Sequence[Split], findings: Sequence[Finding]) -> dict[str, Any]:
    """The figures for a JSON record."""
    figures: dict[str, Any] = {}
    for split in splits:
        names: Mapping[int, str] = dict(enumerate(split.datasets[0][0].metainfo['classes']))
        pixels, images = pixels_of(split).tolist(), images_with(split).tolist()
        figures[split.name] = dict(
            images=len(split.items),
            described=described(split),
            ignored_pixels=sum(item.ignored for item in split.items),
            classes={name: dict(pixels=pixels[i], images=images[i]) for i, name in names.items()},
        )
    told = [dict(split=one.split, what=one.what, causes=one.causes, examples=len(one.examples)) for one in findings]
    return dict(splits=figures, findings=told)
