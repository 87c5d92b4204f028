"""Config files: reading one, options over it, and its checks before anything is built."""

from .load_config import dicts_in, load_config

__all__ = ['dicts_in', 'load_config']
