"""What the files of predictions are called: no two images share a name, and no name leads out of its folder."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..data.wrapped_datasets import inner_datasets

Key = TypeVar('Key', bound=Hashable)


@dataclass(frozen=True)
class Named:
    """What is known of a test image.

    Attributes:
        name: its path below the folder of predictions, without an ending.
        dataset: the data set that lists it; None where none does.
    """

    name: Path
    dataset: Any


class PredictionNames:
    """The names for the predictions of a data set.

    The image `a/000.jpg` below the image folder of its data set is called `a/000`. Where the images of several folders are
    tested, names begin below the folder that these have in common. Images that differ in their suffix alone keep it:
    `a/000.jpg` and `a/000.png`, to which the ending of the written file is added.

    Args:
        dataset: the data set that is tested, also a wrapper around others.

    Attributes:
        images: every image by its path, as the data set gives it.
        listed_twice: the paths that stand in two data sets, with both.
    """

    def __init__(self, dataset: Any) -> None:
        listed = [(part, _image_paths(part)) for part in inner_datasets(dataset)]
        root = common_folder([_image_folder(part, paths) for part, paths in listed if paths])
        self.images: dict[str, Named] = {}
        self.listed_twice: list[tuple[str, Any, Any]] = []
        files = {path: _absolute(path) for _, paths in listed for path in paths}
        names = unlike_names({file: below(file, root) for file in files.values()})
        first: dict[Path, Any] = {}
        for part, paths in listed:
            for path in paths:
                owner = first.setdefault(files[path], part)
                if owner is not part:
                    self.listed_twice.append((path, owner, part))
                self.images[path] = Named(names[files[path]], owner)

    def of(self, path: str) -> Named:
        """The name of an image; one that no data set lists is called by its whole path."""
        return self.images.get(path) or Named(below(_absolute(path), None), None)


def _image_paths(dataset: Any) -> list[str]:
    """The path of every image of a data set, as its items name it; none where it keeps no list of them."""
    if not hasattr(dataset, 'get_data_info'):
        return []
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    return [info['img_path'] for info in infos if 'img_path' in info]


def _image_folder(dataset: Any, paths: Iterable[str]) -> Path | None:
    """The image folder of a data set, or, where images lie outside, the folder that all images have in common."""
    folders = {_absolute(path).parent for path in paths}
    given = (getattr(dataset, 'data_prefix', None) or {}).get('img_path')
    if given and all(folder.is_relative_to(_absolute(given)) for folder in folders):
        return _absolute(given)
    return common_folder(list(folders))


def common_folder(folders: list[Path | None]) -> Path | None:
    """The innermost folder that holds all; None where there is none, as on two drives."""
    try:
        return Path(osp.commonpath([folder for folder in folders if folder])) if all(folders) and folders else None
    except ValueError:
        return None


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(osp.abspath(path))


def below(path: Path, root: Path | None) -> Path:
    """A path relative to a root; without one, all of its parts, the letter of a drive among them."""
    if root is not None:
        return path.relative_to(root)
    return Path(''.join(c for c in path.drive if c.isalnum()), path.relative_to(path.anchor))


def unlike_names(paths: Mapping[Key, Path]) -> dict[Key, Path]:
    """Different relative paths without their suffixes, which those keep that would be alike without; by the keys given."""
    names = {file: path.with_suffix('') for file, path in paths.items()}
    while len(taken := Counter(names.values())) < len(names):
        names = {file: paths[file] if taken[name] > 1 else name for file, name in names.items()}
    return names
