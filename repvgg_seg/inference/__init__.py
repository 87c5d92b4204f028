"""Predicts images, folders, videos and cameras with a trained segmentor: `Segmentor`, and what the tool `predict` writes."""

from .prediction import Prediction
from .segmentor import Segmentor

__all__ = ['Prediction', 'Segmentor']
