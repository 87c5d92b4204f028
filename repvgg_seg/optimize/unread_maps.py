"""Feature maps that no head reads: the backbone no longer returns them, so that they are freed as soon as they are used."""

from collections.abc import Iterable
from typing import Any

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from ..models.repvgg import RepVGG
from .layer_shapes import KNOWN_PACKAGES, run_without_values
from .options import Options, device_of
from .same_outputs import image_shapes, modes_of

# Which maps a class of these packages reads does not depend on the image. Another one may, and keeps all.
_KNOWN_BASES = (*KNOWN_PACKAGES, 'abc', 'builtins')
# Methods that a class of another package may have of its own: they do not see the maps, or are for training only.
_WITHOUT_MAPS = (
    '__init__',
    '__doc__',
    '__module__',
    'cls_seg',
    'init_weights',
    'loss',
    'loss_by_feat',
    'predict_by_feat',
)


def drop_unread_maps(model: nn.Module, options: Options) -> int:
    """Let the backbone return the maps alone that are read when the model runs.

    What is read is seen in a run, since a head may read more than its `in_index` says: `DepthwiseSeparableASPPHead` takes
    the first map besides. All maps stay where a segmentor or head of another package may read in its own way. Whether the
    model computes the same with fewer, is for the caller to compare.

    Returns:
        The number of maps that are no longer returned.
    """
    backbone = getattr(model, 'backbone', None)
    indices = getattr(backbone, 'out_indices', None)
    if backbone is None or not indices or len(indices) == 1 or getattr(model, 'neck', None) is not None:
        return 0
    if not all(map(_reads_in_a_known_way, [model, *_parts_that_read(model)])):
        return 0
    read = sorted(_read_maps(model, backbone, options))
    if not read or len(read) == len(indices):
        return 0
    _keep(model, backbone, read)
    return len(indices) - len(read)


def _parts_that_read(model: nn.Module) -> list[nn.Module]:
    """The decode heads, also those inside others."""
    return [head for head in model.modules() if isinstance(head, BaseDecodeHead)]


def _reads_in_a_known_way(module: nn.Module) -> bool:
    """Whether no class of another package has a part in what this module does with the maps."""
    strangers = [cls for cls in type(module).__mro__ if cls.__module__.split('.')[0] not in _KNOWN_BASES]
    return all(name in _WITHOUT_MAPS or not callable(value) for cls in strangers for name, value in vars(cls).items())


def _read_maps(model: nn.Module, backbone: nn.Module, options: Options) -> set[int]:
    """The places of the maps that are read in a run on an image that the model takes, of those that the backbone returns."""
    read: set[int] = set()

    def note(module: nn.Module, args: object, maps: object) -> object:
        return _NotingMaps(maps, read) if type(maps) in (tuple, list) else maps  # type: ignore[arg-type]

    hook = backbone.register_forward_hook(note)
    try:
        for shapes in image_shapes(options):
            for shape in shapes:
                runs = [_runs(model, shape, mode, read) for mode in modes_of(model)]
                if any(runs):
                    return read
        return set()
    finally:
        hook.remove()


def _runs(model: nn.Module, shape: tuple[int, ...], mode: str, read: set[int]) -> bool:
    """Run a model on an image, so that `read` is filled; whether it takes the image."""
    kwargs = {} if mode == 'tensor' else dict(mode=mode)
    try:
        run_without_values(model, shape, **kwargs)
        return True
    except Exception:  # a network of somebody else's can raise anything
        if read:  # the maps came this far; the count of sliding windows, for example, is checked by its values
            return True
    try:
        with torch.inference_mode():
            model(torch.rand(shape, device=device_of(model)), **kwargs)
        return True
    except Exception:
        return False


class _NotingMaps(tuple[Tensor, ...]):
    """The maps of a backbone, which note in a set the places that are read."""

    _read: set[int]

    def __new__(cls, maps: Iterable[Tensor], read: set[int]) -> '_NotingMaps':
        noting = super().__new__(cls, maps)
        noting._read = read
        return noting

    def __getitem__(self, index: Any) -> Any:
        places = range(len(self))[index]
        self._read.update([places] if isinstance(places, int) else places)
        return super().__getitem__(index)

    def __iter__(self) -> Any:
        self._read.update(range(len(self)))
        return super().__iter__()


def _keep(model: nn.Module, backbone: Any, read: list[int]) -> None:
    """Let the backbone return the maps of these places, and the heads find theirs among them, in place."""
    number = len(backbone.out_indices)
    new_place = {place: i for i, place in enumerate(read)} | {place - number: i for i, place in enumerate(read)}
    if isinstance(backbone, RepVGG):
        backbone.out_channels = tuple(backbone.out_channels[place] for place in read)
    backbone.out_indices = tuple(backbone.out_indices[place] for place in read)
    for head in _parts_that_read(model):
        index = getattr(head, 'in_index', None)
        if isinstance(index, int) and index in new_place:
            vars(head)['in_index'] = new_place[index]
        elif isinstance(index, (list, tuple)) and all(place in new_place for place in index):
            vars(head)['in_index'] = [new_place[place] for place in index]
