"""Checkpoint files: read, written, converted, downloaded and loaded into models."""

from .install_reader import install_lenient_reader, install_safe_reader
from .load_into_model import load_weights

__all__ = ['install_safe_reader', 'load_weights']

install_lenient_reader()
