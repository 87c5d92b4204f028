"""Make the trainId labels of Cityscapes from the downloaded polygons, and check that the data set is complete."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cityscapesscripts.preparation.json2labelImg import json2labelImg
from rich.progress import track

from ..errors import InputError
from ..files import replacing
from .image_size_limit import fault_of_pixels

COUNTS = {'train': 2975, 'val': 500}
_IMAGE, _POLYGONS, _LABEL = '_leftImg8bit.png', '_gtFine_polygons.json', '_gtFine_labelTrainIds.png'
_DOWNLOAD = (
    'download leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip from https://www.cityscapes-dataset.com '
    '(free for research, with an account) and unpack both there'
)


def prepare(root: str | Path, counts: dict[str, int] = COUNTS, workers: int = 4) -> tuple[int, int]:
    """Make the trainId label of every image that has none yet.

    Args:
        root: folder that holds `leftImg8bit/{split}/{city}/` and `gtFine/{split}/{city}/`.
        counts: number of images that each split must have.
        workers: number of processes.

    Returns:
        The number of labels that were made, and of those that existed before.

    Raises:
        InputError: there are no images, images have no polygons, or a split has another number of images. All labels
            that can be made are made before the last two are raised.
    """
    if workers < 1:
        raise InputError(f'at least one process is needed, got {workers}')
    root = Path(root)
    images = {split: sorted((root / 'leftImg8bit' / split).glob(f'*/*{_IMAGE}')) for split in counts}
    if not any(images.values()):
        raise InputError(f'no leftImg8bit/{{{",".join(counts)}}}/*/*{_IMAGE} in {root}: {_DOWNLOAD}')
    pairs = [_polygons_and_label(root, image) for paths in images.values() for image in paths]
    existing = [label for _, label in pairs if label.exists()]
    to_do = [(polygons, label) for polygons, label in pairs if not label.exists() and polygons.exists()]
    unlabelled = [polygons for polygons, label in pairs if not label.exists() and not polygons.exists()]
    with ProcessPoolExecutor(workers) as pool:
        list(track(pool.map(make_label, to_do, chunksize=8), 'trainIds', total=len(to_do), disable=not to_do))

    faults = [
        f'{split} has {len(images[split])} of {count} images'
        for split, count in counts.items()
        if len(images[split]) != count
    ]
    if unlabelled:
        faults.append(f'{len(unlabelled)} images have no polygons, such as {unlabelled[0]}')
    if faults:
        raise InputError(f'{root} is not complete: {"; ".join(faults)} ({len(to_do)} labels made): {_DOWNLOAD}')
    return len(to_do), len(existing)


def _polygons_and_label(root: Path, image: Path) -> tuple[Path, Path]:
    """The paths of the polygons and of the trainId label of an image."""
    stem = root / 'gtFine' / image.relative_to(root / 'leftImg8bit')
    name = image.name.removesuffix(_IMAGE)
    return stem.with_name(name + _POLYGONS), stem.with_name(name + _LABEL)


def make_label(pair: tuple[Path, Path]) -> None:
    """Write one label from its polygons; an interrupted call leaves no partial file."""
    polygons, label = pair
    try:
        size = json.loads(polygons.read_text(encoding='utf-8'))
        fault = fault_of_pixels(polygons, size['imgWidth'] * size['imgHeight'])
        if not fault:
            with replacing(label) as temporary:
                json2labelImg(str(polygons), str(temporary), 'trainIds')
    except (Exception, SystemExit) as error:  # of damaged files; the official script exits where it knows no label
        fault = f'{polygons} holds no polygons of Cityscapes ({type(error).__name__}: {error}): unpack it again'
    if fault:
        raise InputError(' '.join(fault.split()))
