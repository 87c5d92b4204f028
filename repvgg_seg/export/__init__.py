"""Trained segmentors as files for other engines, and these files called as a model."""

from .engine import Engine, load_engine
from .engine_segmentor import EngineSegmentor

__all__ = ['Engine', 'EngineSegmentor', 'load_engine']
