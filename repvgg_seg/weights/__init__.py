"""Checkpoint files: read, written, converted, downloaded and loaded into models."""

from .load import load_weights
from .mmengine_reader import install_lenient_reader, install_safe_reader

__all__ = ['install_safe_reader', 'load_weights']

install_lenient_reader()
