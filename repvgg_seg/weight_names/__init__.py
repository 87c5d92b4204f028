"""The names that different code bases give to the same tensors. Works on names and tensors alone; knows no network."""

from .known_families import FAMILIES
from .official import AUXILIARY
from .sort_tensors import Weights, bare_names, sort_weights, to_checkpoint, unwrap

__all__ = ['AUXILIARY', 'FAMILIES', 'Weights', 'bare_names', 'sort_weights', 'to_checkpoint', 'unwrap']
