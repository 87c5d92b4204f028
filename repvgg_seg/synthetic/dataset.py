"""A data set of synthetic street scenes in the directory layout and label format of Cityscapes."""

import json
from pathlib import Path

import cv2
import numpy as np
from cityscapesscripts.helpers.labels import labels

from ..errors import InputError
from ..files import replacing
from . import draw_scene

GENERATOR_VERSION = 1  # raise it whenever the pixels of a scene change
CITIES = {'train': 'synthtrain', 'val': 'synthval', 'test': 'synthtest'}
MIN_SIDE = 64  # pixels


def generate(root, counts, size=(256, 512), seed=0):
    """Writes a data set in the layout of Cityscapes and returns how many scenes were written by this call.

    Scene i of a split depends on the seed, split, i and size alone, never on the counts or the machine
    (given the same release of OpenCV).  Scenes that are
    already there stay as they are, so a call after an interruption, or for more scenes, writes only what is missing.

    Args:
        root: directory to write to; created if missing.
        counts: scenes per split, e.g. ``{'train': 120, 'val': 30}``.
        size: (height, width) in pixels, each at least 64.
        seed: non-negative whole number.

    Raises:
        InputError: for a parameter out of range, a root that holds other data or one that cannot be written.
    """
    parameters = checked_parameters(counts, size, seed)
    root = Path(root)
    try:
        claim_root(root, parameters)
        written = 0
        for split, count in parameters['counts'].items():
            for index in range(count):
                files = scene_files(root, split, index)
                if not all(path.is_file() for path in files.values()):
                    write_scene(files, *draw_scene(scene_rng(seed, split, index), *parameters['size']))
                    written += 1
    except OSError as error:
        raise InputError(f'cannot write scenes to {root}: {error.strerror or error}') from error
    return written


def scene_rng(seed, split, index):
    """The generator of random numbers of one scene."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, list(CITIES).index(split), index])))


def is_whole(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def checked_parameters(counts, size, seed):
    """The parameters in the form that is stored beside the scenes; raises InputError for wrong ones."""
    if unknown := sorted(set(counts) - set(CITIES), key=str):
        raise InputError(f'unknown split {unknown[0]!r}: choose from {", ".join(CITIES)}')
    for split, count in counts.items():
        if not is_whole(count) or count < 0:
            raise InputError(f'number of {split} scenes must be a whole number of 0 or more, got {count!r}')
    if not any(counts.values()):
        raise InputError('nothing to generate: give at least one split a number of scenes above 0')
    if len(size) != 2 or not all(is_whole(side) and side >= MIN_SIDE for side in size):
        raise InputError(
            f'size must be height and width, each a whole number of at least {MIN_SIDE} pixels, got {size}'
        )
    if not is_whole(seed) or seed < 0:
        raise InputError(f'seed must be a whole number of 0 or more, got {seed!r}')
    return {
        'generator': GENERATOR_VERSION,
        'seed': int(seed),
        'size': [int(side) for side in size],
        'counts': {split: int(counts[split]) for split in CITIES if counts.get(split)},
    }


def claim_root(root, parameters):
    """Marks the root with the parameters, before any scene; refuses one that holds other data."""
    record = root / 'synthetic.json'
    if record.is_file():
        try:
            stored = json.loads(record.read_text())
        except ValueError:
            stored = None
        if stored == parameters:
            return
        if is_part_of(stored, parameters):
            write_record(record, parameters)
            return
        held = 'parameters that cannot be read' if stored is None else f'scenes of {describe(stored, parameters)}'
        raise InputError(f'{root} already holds {held}: choose another directory or delete this one first')
    if root.is_dir() and any(root.iterdir()):
        raise InputError(f'{root} is not empty and was not written by this generator: choose another directory')
    root.mkdir(parents=True, exist_ok=True)
    write_record(record, parameters)


def write_record(record, parameters):
    with replacing(record) as temporary:
        temporary.write_text(json.dumps(parameters, indent=2) + '\n')


def is_part_of(stored, wanted):
    """Whether the stored scenes are among the wanted ones: the same but for fewer of them."""
    if not isinstance(stored, dict) or any(stored.get(name) != wanted[name] for name in wanted if name != 'counts'):
        return False
    return all(count <= wanted['counts'].get(split, 0) for split, count in stored['counts'].items())


def describe(stored, wanted):
    """The stored parameters that differ from the wanted ones, as 'name value (wanted value)'."""
    if not isinstance(stored, dict):
        return 'other parameters'
    differing = [name for name in wanted if stored.get(name) != wanted[name]]
    return ', '.join(f'{name} {stored.get(name)} (wanted {wanted[name]})' for name in differing)


def scene_files(root, split, index):
    """Paths of the files of one scene by kind."""
    city = CITIES[split]
    stem = f'{city}_{index:06d}_000019'  # frame 19 is the one that Cityscapes labels
    fine = root / 'gtFine' / split / city
    return {
        'color': fine / f'{stem}_gtFine_color.png',
        'labelTrainIds': fine / f'{stem}_gtFine_labelTrainIds.png',
        'labelIds': fine / f'{stem}_gtFine_labelIds.png',
        'image': root / 'leftImg8bit' / split / city / f'{stem}_leftImg8bit.png',
    }


def label_tables():
    """Train id (256,) uint8 and BGR colour (256, 3) uint8 of each raw label id; unknown ids are ignored."""
    train_ids, colours = np.full(256, 255, np.uint8), np.zeros((256, 3), np.uint8)
    for label in labels:
        if label.id >= 0:
            train_ids[label.id], colours[label.id] = label.trainId, label.color[::-1]
    return train_ids, colours


def write_scene(files, image, label_ids):
    """Encodes the image and the three forms of its label map as PNG files."""
    train_ids, colours = label_tables()
    pixels = {
        'image': image,
        'labelIds': label_ids,
        'labelTrainIds': train_ids[label_ids],
        'color': colours[label_ids],
    }
    for kind, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(cv2.imencode('.png', pixels[kind])[1].tobytes())
