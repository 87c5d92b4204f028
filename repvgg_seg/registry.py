"""The registries of the scope ``repvgg_seg``, one below each of mmseg's, with nothing registered in them.

The classes of this package are registered with mmseg. This scope exists for configs elsewhere that inherit from a config of
this package, as in ``_base_ = ['repvgg_seg::_base_/datasets/synthetic.py']``: mmengine notes the scope ``repvgg_seg`` in what
it takes from there, looks for the scope's registries in this module, and goes on to their parents, mmseg's and its own.
"""

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry
from mmseg import registry as mmseg_registry

SCOPE = 'repvgg_seg'

# mmengine reads `PACKAGE::CONFIG` for the packages of this list alone.
MODULE2PACKAGE.setdefault(SCOPE, SCOPE)

# What to import before a class is looked up; mmengine does so for the registry that it asks, not for its parents.
_LOCATIONS = [SCOPE, *(f'mmseg.{part}' for part in ('datasets', 'engine', 'evaluation', 'models', 'visualization'))]

REGISTRIES = {
    name: Registry(registry.name, parent=registry, scope=SCOPE, locations=_LOCATIONS)
    for name, registry in vars(mmseg_registry).items()
    if isinstance(registry, Registry)
}


def drop_scope(value: object) -> None:
    """Remove the scope ``repvgg_seg``, in place, from every dict in a nest of dicts and lists.

    Under ``default_scope='mmseg'`` a config means the same without it, and mmengine hands ``_scope_`` on to a collate function
    as if it were one of its arguments.
    """
    if isinstance(value, dict):
        if value.get('_scope_') == SCOPE:
            del value['_scope_']
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            drop_scope(item)
