"""The names of the classes of a data set: what is wrong with those that a class or a config gives."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.datasets import BaseSegDataset

from ..errors import listed

_HOW = "name them in the config, metainfo=dict(classes=['road', 'car']), or as METAINFO of the class of the data set"


def fault_of_classes(cls: Any, metainfo: Mapping[str, Any] | None) -> str:
    """Return what is wrong with the names of the classes, or an empty string.

    Args:
        cls: class of the data set.
        metainfo: its argument of this name.
    """
    own: Any = getattr(cls, 'METAINFO', {}).get('classes')
    given: Any = (metainfo or {}).get('classes', own)
    name = getattr(cls, '__name__', str(cls))
    if given is None:
        return f'{name} has no names of classes: {_HOW}'
    if isinstance(given, str) and (given is own or '://' not in given) and not osp.isfile(given):
        of = 'METAINFO' if given is own else 'metainfo'
        return f'{name}: {of}.classes is {given!r}, neither a list of names nor a file with one name a line: {_HOW}'
    if isinstance(given, str):
        return ''
    if not isinstance(given, Sequence) or not given or not all(isinstance(one, str) for one in given):
        return f'{name}: metainfo.classes is {given!r}, not a list of names: {_HOW}'
    return _fault_of_choice(cls, name, given, own)


def _fault_of_choice(cls: Any, name: str, given: Sequence[str], own: Sequence[str] | None) -> str:
    """Of a data set whose class knows names, a config can choose some: mmseg ignores the others in the labels."""
    chooses = getattr(getattr(cls, 'get_label_map', None), '__func__', None) is BaseSegDataset.get_label_map.__func__
    unknown = [one for one in given if own is not None and one not in own]
    if not chooses or not unknown:
        return ''
    return (
        f'{name} has no class {listed(map(repr, unknown))}: metainfo.classes chooses from {", ".join(own or [])}; '
        'for other classes use CheckedSegDataset, which has none of its own'
    )
