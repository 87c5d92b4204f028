"""Checkpoint files: read, written, converted, downloaded and loaded into models."""

from .load import load_weights

__all__ = ['load_weights']
