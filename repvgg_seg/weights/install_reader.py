"""The readers of checkpoint files that mmengine calls for `Pretrained`, `load_from` and `resume`."""

import logging
from collections.abc import Callable
from typing import Any

from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader

from ..errors import InputError
from .classes_of_config import with_classes
from .download import download_address
from .read import TRUSTED, MapLocation, read_checkpoint, read_meta
from .stored_config import stored_config

Reader = Callable[[str, MapLocation], Any]

_LOCAL = ''
_CONFIG_KEYS = ('cfg', 'config')  # of a meta; mmengine runs the second when it resumes, the first in its inferencer
_HTTP = ('http://', 'https://')


def install_safe_reader() -> None:
    """Make mmengine refuse, in the whole process, local files and downloads that could run code when they are read.

    The readers refuse what `read_checkpoint` refuses, with its messages. mmengine's own reader reads a file again with
    everything allowed where the safe way fails.
    """
    CheckpointLoader.register_scheme((_LOCAL, TRUSTED), load_from_local, force=True)
    CheckpointLoader.register_scheme(_HTTP, load_from_http, force=True)


def install_lenient_reader() -> None:
    """Put the safe readers before mmengine's own, so that every file that mmengine read before is still read.

    Importing the package does this: mmengine's own reader cannot read mmengine's training checkpoints with some
    versions of torch. A reader that another package has registered stays in its place.
    """
    CheckpointLoader.register_scheme(TRUSTED, load_from_local, force=True)
    for prefix, safe in ((_LOCAL, load_from_local), *((prefix, load_from_http) for prefix in _HTTP)):
        registered = CheckpointLoader._schemes[prefix]
        if registered.__module__ == CheckpointLoader.__module__:
            CheckpointLoader.register_scheme(prefix, _with_fallback(safe, registered), force=True)


def load_from_local(filename: str, map_location: MapLocation = 'cpu') -> dict[str, Any]:
    """`read_checkpoint`, as mmengine calls it; with the `meta` of a .safetensors file that has one."""
    checkpoint = read_checkpoint(filename, map_location=map_location)
    meta = read_meta(filename, checkpoint)
    if meta and 'meta' not in checkpoint:
        checkpoint = dict(meta=meta, state_dict=checkpoint)
    if 'meta' in checkpoint:
        checkpoint = dict(checkpoint, meta=_without_code(meta, filename))
    return with_classes(checkpoint, filename)


def _without_code(meta: dict[str, Any], filename: str) -> dict[str, Any]:
    """The `meta` of a file without configs that are more than plain values: mmengine runs these texts as Python."""
    code = [key for key in _CONFIG_KEYS if meta.get(key) and stored_config({'cfg': meta[key]}) is None]
    if code and not filename.startswith(TRUSTED):
        print_log(
            f'{filename}: the config in its meta ({", ".join(code)}) is more than plain values and is left out, since '
            f'mmengine would run it; {TRUSTED}{filename} keeps it',
            'current',
            logging.WARNING,
        )
        return {key: value for key, value in meta.items() if key not in code}
    return meta


def load_from_http(filename: str, map_location: MapLocation = 'cpu') -> dict[str, Any]:
    """`read_checkpoint` of the file at an address, which is downloaded once; as mmengine calls it."""
    return load_from_local(str(download_address(filename)), map_location)


def _with_fallback(safe: Reader, registered: Reader) -> Reader:
    """A reader that tries the safe one and, where that refuses a file, the one that was registered before."""

    def read(filename: str, map_location: MapLocation = None) -> Any:
        try:
            return safe(filename, map_location)
        except InputError as refusal:
            try:
                checkpoint = registered(filename, map_location)
            except Exception:  # mmengine's reader raises many types
                raise refusal from None
            print_log(
                f'mmengine has read a file that the safe reader of repvgg_seg refuses: {refusal}. '
                'repvgg_seg.weights.install_safe_reader() makes mmengine refuse such files',
                'current',
                logging.WARNING,
            )
            return with_classes(checkpoint, filename)

    read.__name__ = registered.__name__  # mmengine logs what follows `load_from_`
    return read
