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
            f'this version of the package comes without a network of its own (no {_FILE.name}): name a checkpoint, and '
            'its config where it holds none (--checkpoint CHECKPOINT --config CONFIG)'
        )
    return CONFIG, str(_FILE)
