"""The network that comes with the package, for a first prediction without training."""

from pathlib import Path

from ..errors import InputError

CONFIG = 'pspnet_repvgg_small_camvid'
_FILE = Path(__file__).with_name(f'{CONFIG}.safetensors')


def shipped_network() -> tuple[str, str]:
    """The config and the checkpoint of the network that comes with the package.

    Raises:
        InputError: it is not in this installation.
    """
    if not _FILE.is_file():
        raise InputError(
            f'the network of the package is missing from this installation ({_FILE} does not exist): install the package '
            'again, or name a checkpoint, and its config where it holds none (--checkpoint CHECKPOINT --config CONFIG)'
        )
    return CONFIG, str(_FILE)
