"""Writes a data set of synthetic street scenes, in the directory layout and label format of Cityscapes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from ..files import replacing
from .labels import label_tables
from .scene import draw_scene

GENERATOR_VERSION = 1  # raise it whenever the pixels of a scene change
CITIES = {'train': 'synthtrain', 'val': 'synthval', 'test': 'synthtest'}
MIN_SIDE = 64  # pixels


def generate(root: str | Path, counts: Mapping[str, int], size: Sequence[int] = (256, 512), seed: int = 0) -> int:
    """Write a data set in the layout of Cityscapes, and return how many scenes this call has written.

    A scene depends on the seed, its split, its index and its size alone, not on the counts or, with the same release of
    OpenCV, on the machine. Scenes that exist stay as they are, so that a call after an interruption, or for more
    scenes, writes only what is missing.

    Args:
        root: directory to write to; it is created if it does not exist.
        counts: number of scenes of each split, such as ``{'train': 120, 'val': 30}``.
        size: height and width in pixels, each at least 64.
        seed: non-negative whole number.

    Raises:
        InputError: an argument is out of range, or the root holds other data or cannot be written.
    """
    parameters = checked_parameters(counts, size, seed)
    root = Path(root)
    height, width = parameters['size']
    written = 0
    try:
        claim_root(root, parameters)
        for split, count in parameters['counts'].items():
            for index in range(count):
                files = scene_files(root, split, index)
                if not all(path.is_file() for path in files.values()):
                    write_scene(files, *draw_scene(scene_rng(seed, split, index), height, width))
                    written += 1
    except OSError as error:
        raise InputError(f'cannot write scenes to {root}: {error.strerror or error}') from error
    return written


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the generator of random numbers of one scene."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, list(CITIES).index(split), index])))


def checked_parameters(counts: Mapping[str, int], size: Sequence[int], seed: int) -> dict[str, Any]:
    """Return the parameters as they are recorded beside the scenes.

    Raises:
        InputError: a parameter is out of range.
    """
    if unknown := sorted(set(counts) - set(CITIES), key=str):
        raise InputError(f'unknown split {unknown[0]!r}: choose from {", ".join(CITIES)}')
    for split, count in counts.items():
        if not _is_whole(count) or count < 0:
            raise InputError(f'number of {split} scenes must be a whole number of 0 or more, got {count!r}')
    if not any(counts.values()):
        raise InputError('nothing to generate: give at least one split a number of scenes above 0')
    if len(size) != 2 or not all(_is_whole(side) and side >= MIN_SIDE for side in size):
        raise InputError(
            f'size must be height and width, each a whole number of at least {MIN_SIDE} pixels, got {size}'
        )
    if not _is_whole(seed) or seed < 0:
        raise InputError(f'seed must be a whole number of 0 or more, got {seed!r}')
    return {
        'generator': GENERATOR_VERSION,
        'seed': int(seed),
        'size': [int(side) for side in size],
        'counts': {split: int(counts[split]) for split in CITIES if counts.get(split)},
    }


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def claim_root(root: Path, parameters: dict[str, Any]) -> None:
    """Write the parameters into the root before any scene, so that scenes of different parameters are never mixed.

    Raises:
        InputError: the root holds scenes of other parameters, or other data.
    """
    record = root / 'synthetic.json'
    if record.is_file():
        try:
            stored = json.loads(record.read_text(encoding='utf-8'))
        except ValueError:
            stored = None
        if stored == parameters:
            return
        if _is_part_of(stored, parameters):
            _write_record(record, parameters)
            return
        held = 'parameters that cannot be read' if stored is None else f'scenes of {_differences(stored, parameters)}'
        raise InputError(f'{root} already holds {held}: choose another directory or delete this one first')
    if root.is_dir() and any(root.iterdir()):
        raise InputError(f'{root} is not empty and was not written by this generator: choose another directory')
    root.mkdir(parents=True, exist_ok=True)
    _write_record(record, parameters)


def _write_record(record: Path, parameters: dict[str, Any]) -> None:
    with replacing(record) as temporary:
        temporary.write_text(json.dumps(parameters, indent=2) + '\n', encoding='utf-8')


def _is_part_of(stored: object, wanted: dict[str, Any]) -> bool:
    """Return whether the stored scenes are some of the wanted ones, so that only the others are missing."""
    if not isinstance(stored, dict) or any(stored.get(name) != wanted[name] for name in wanted if name != 'counts'):
        return False
    return all(count <= wanted['counts'].get(split, 0) for split, count in stored['counts'].items())


def _differences(stored: object, wanted: dict[str, Any]) -> str:
    """Describe the stored parameters that differ from the wanted ones, as 'name value (wanted value)'."""
    if not isinstance(stored, dict):
        return 'other parameters'
    differing = [name for name in wanted if stored.get(name) != wanted[name]]
    return ', '.join(f'{name} {stored.get(name)} (wanted {wanted[name]})' for name in differing)


def scene_files(root: Path, split: str, index: int) -> dict[str, Path]:
    """Return the paths of the files of one scene by kind."""
    city = CITIES[split]
    stem = f'{city}_{index:06d}_000019'  # Cityscapes labels frame 19 of every sequence
    fine = root / 'gtFine' / split / city
    return {
        'color': fine / f'{stem}_gtFine_color.png',
        'labelTrainIds': fine / f'{stem}_gtFine_labelTrainIds.png',
        'labelIds': fine / f'{stem}_gtFine_labelIds.png',
        'image': root / 'leftImg8bit' / split / city / f'{stem}_leftImg8bit.png',
    }


def write_scene(files: Mapping[str, Path], image: np.ndarray, label_ids: np.ndarray) -> None:
    """Write the image and the three forms of its label map as PNG files."""
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
