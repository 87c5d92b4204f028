"""A config by its path, or by its name among the configs of this package."""

from os.path import isfile
from pathlib import Path

from ...errors import InputError, did_you_mean, similar_names

PACKAGE = Path(__file__).resolve().parents[2]


def packaged_configs() -> Path:
    """The folder of this package's configs.

    It is ``.mim/configs``. In a checkout that is a link to the repository's own configs, which stand beside the package;
    where the file system knows no links, those are taken directly.
    """
    folder = PACKAGE / '.mim' / 'configs'
    return folder if folder.is_dir() else PACKAGE.parent / 'configs'


def config_names() -> list[str]:
    """The names of the runnable configs, such as 'pspnet_repvgg_b2' and 'imagenet/repvgg_a0_120e'."""
    folder = packaged_configs()
    paths = (path.relative_to(folder) for path in sorted(folder.rglob('*.py')))
    return [path.with_suffix('').as_posix() for path in paths if path.parts[0] != '_base_']


def find_config(name: str) -> str:
    """Return the path of a config.

    Args:
        name: a path, or the name of a config of this package, each with or without '.py'; 'configs/' before the name is
            ignored. A file that the path leads to from the current folder wins.

    Raises:
        InputError: there is no such file and no config of this name.
    """
    file_name = name if Path(name).suffix else f'{name}.py'
    for path in (Path(name), Path(file_name)):
        if isfile(path):  # which, other than `Path.is_file`, raises nothing for names that no file can have
            return str(path)
    short = Path(file_name).as_posix().removeprefix('configs/')  # typed with backslashes on Windows
    if not Path(short).is_absolute() and isfile(packaged := packaged_configs() / short):
        return str(packaged)
    guess = did_you_mean(_close_names(short.removesuffix('.py')))
    raise InputError(f'no config {name}: {guess}give the path of a file, or a name out of {packaged_configs()}')


def _close_names(name: str) -> list[str]:
    """Up to three names of configs like this one; the folder may be missing in it."""
    names = {config.rsplit('/', 1)[-1]: config for config in config_names()}
    return [names[close] for close in similar_names(name.rsplit('/', 1)[-1], names, cutoff=0.7)]
